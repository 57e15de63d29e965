#include "everfold/event/fingerprint.h"

#include <algorithm>
#include <map>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/digest.h"
#include "everfold/v1/options.pb.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace everfold {
namespace {

namespace pb = google::protobuf;

std::string Deterministic(const pb::Message& options) {
  std::string bytes;
  {
    pb::io::StringOutputStream stream(&bytes);
    pb::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    options.SerializeToCodedStream(&coded);
  }
  return HexEncode(bytes);
}

std::string TypeOf(const pb::FieldDescriptor& field) {
  if (field.message_type() != nullptr) return field.message_type()->full_name();
  if (field.enum_type() != nullptr) return field.enum_type()->full_name();
  return field.type_name();
}

const char* LabelOf(const pb::FieldDescriptor& field) {
  if (field.is_repeated()) return "repeated";
  return field.is_required() ? "required" : "singular";
}

std::string Describe(const pb::FieldDescriptor& field) {
  const pb::OneofDescriptor* oneof = field.real_containing_oneof();
  return absl::StrFormat("field %d %s %s %s presence=%d oneof=%s options=%s\n", field.number(), field.name(),
                         LabelOf(field), TypeOf(field), field.has_presence() ? 1 : 0,
                         oneof != nullptr ? oneof->name() : "-",
                         Deterministic(field.options().GetExtension(v1::field)));
}

std::string Describe(const pb::EnumDescriptor& enumeration) {
  std::vector<std::string> values;
  for (int i = 0; i < enumeration.value_count(); ++i) {
    values.push_back(absl::StrFormat("value %d %s\n", enumeration.value(i)->number(), enumeration.value(i)->name()));
  }
  std::sort(values.begin(), values.end());
  std::string text = "enum " + enumeration.full_name() + "\n";
  for (const std::string& value : values) text += value;
  return text;
}

std::string Describe(const pb::Descriptor& message) {
  std::vector<const pb::FieldDescriptor*> fields;
  for (int i = 0; i < message.field_count(); ++i) fields.push_back(message.field(i));
  std::sort(fields.begin(), fields.end(), [](auto* a, auto* b) { return a->number() < b->number(); });
  std::string text = absl::StrFormat("message %s options=%s\n", message.full_name(),
                                     Deterministic(message.options().GetExtension(v1::message)));
  for (const pb::FieldDescriptor* field : fields) text += Describe(*field);
  return text;
}

// Descriptions by full name: the order of the result does not depend on the order of declarations.
void Collect(const pb::Descriptor& message, std::map<std::string, std::string>& closure) {
  if (!closure.try_emplace(message.full_name(), Describe(message)).second) return;
  for (int i = 0; i < message.field_count(); ++i) {
    const pb::FieldDescriptor& field = *message.field(i);
    if (field.message_type() != nullptr) Collect(*field.message_type(), closure);
    if (field.enum_type() != nullptr) closure.try_emplace(field.enum_type()->full_name(), Describe(*field.enum_type()));
  }
}

}  // namespace

std::string FingerprintOf(const pb::Descriptor& message) {
  std::map<std::string, std::string> closure;
  Collect(message, closure);
  std::string text = message.full_name() + "\n";
  for (const auto& [name, description] : closure) text += description;
  return Sha256(text);
}

}  // namespace everfold
