#include "everfold/event/type_description.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_format.h"
#include "everfold/event/fingerprint.h"

namespace everfold {
namespace {

namespace pb = google::protobuf;

// Fills a description with the messages and enums that a message reaches.
class Describer {
 public:
  explicit Describer(v1::TypeDescription& out) : out_(out) {}

  void Add(const pb::Descriptor& message) {
    if (!seen_.insert(message.full_name()).second) return;
    v1::MessageDescription& described = *out_.add_messages();
    described.set_name(message.full_name());
    std::vector<const pb::FieldDescriptor*> fields;
    for (int i = 0; i < message.field_count(); ++i) fields.push_back(message.field(i));
    std::sort(fields.begin(), fields.end(), [](auto* a, auto* b) { return a->number() < b->number(); });
    for (const pb::FieldDescriptor* field : fields) Add(*field, *described.add_fields());
    for (const pb::FieldDescriptor* field : fields) {
      if (field->message_type() != nullptr) Add(*field->message_type());
      if (field->enum_type() != nullptr) Add(*field->enum_type());
    }
  }

 private:
  static void Add(const pb::FieldDescriptor& field, v1::FieldDescription& out) {
    out.set_number(field.number());
    out.set_name(field.name());
    out.set_type(field.type_name());
    if (field.message_type() != nullptr) out.set_type_name(field.message_type()->full_name());
    if (field.enum_type() != nullptr) out.set_type_name(field.enum_type()->full_name());
    out.set_repeated(field.is_repeated());
  }

  void Add(const pb::EnumDescriptor& enumeration) {
    if (!seen_.insert(enumeration.full_name()).second) return;
    v1::EnumDescription& described = *out_.add_enums();
    described.set_name(enumeration.full_name());
    for (int i = 0; i < enumeration.value_count(); ++i) {
      v1::EnumValueDescription& value = *described.add_values();
      value.set_number(enumeration.value(i)->number());
      value.set_name(enumeration.value(i)->name());
    }
  }

  v1::TypeDescription& out_;
  absl::flat_hash_set<std::string> seen_;
};

// Every value of the one is the same value when its bytes are read as the other.
bool IsReadAs(const std::string& stored, const std::string& current) {
  static const auto& kWider = *new std::set<std::pair<std::string, std::string>>{
      {"int32", "int64"}, {"uint32", "uint64"}, {"uint32", "int64"}, {"sint32", "sint64"},
      {"bool", "int32"},  {"bool", "int64"},    {"bool", "uint32"},  {"bool", "uint64"},
      {"enum", "int32"},  {"enum", "int64"},    {"string", "bytes"},
  };
  return stored == current || kWider.contains({stored, current});
}

template <class Described>
const Described* Find(const pb::RepeatedPtrField<Described>& all, std::string_view name) {
  const auto found = std::find_if(all.begin(), all.end(), [name](const auto& each) { return each.name() == name; });
  return found != all.end() ? &*found : nullptr;
}

template <class Numbered>
const Numbered* FindNumber(const pb::RepeatedPtrField<Numbered>& all, int number) {
  const auto found =
      std::find_if(all.begin(), all.end(), [number](const auto& each) { return each.number() == number; });
  return found != all.end() ? &*found : nullptr;
}

// "repeated shop.v1.Line".
std::string TypeOf(const v1::FieldDescription& field) {
  return (field.repeated() ? "repeated " : "") + (field.type_name().empty() ? field.type() : field.type_name());
}

class Comparison {
 public:
  Comparison(const v1::TypeDescription& stored, const v1::TypeDescription& current)
      : stored_(stored), current_(current) {}

  std::vector<std::string> Run() && {
    CompareMessages(stored_.messages(0).name(), current_.messages(0).name());
    return std::move(changes_);
  }

 private:
  // By name: they may be called otherwise today.
  void CompareMessages(const std::string& stored_name, const std::string& current_name) {
    if (!compared_.emplace(stored_name, current_name).second) return;
    const v1::MessageDescription* stored = Find(stored_.messages(), stored_name);
    const v1::MessageDescription* current = Find(current_.messages(), current_name);
    if (stored == nullptr || current == nullptr) return;
    for (const v1::FieldDescription& field : stored->fields()) {
      const v1::FieldDescription* now = FindNumber(current->fields(), field.number());
      if (now != nullptr) CompareFields(*current, field, *now);
    }
  }

  void CompareFields(const v1::MessageDescription& message, const v1::FieldDescription& stored,
                     const v1::FieldDescription& current) {
    if (!IsReadAs(stored.type(), current.type()) || (stored.repeated() && !current.repeated())) {
      changes_.push_back(absl::StrFormat(
          "field %d of %s was `%s %s` and is `%s %s`; give the field of today a number that was never "
          "used, and reserve this one",
          stored.number(), message.name(), TypeOf(stored), stored.name(), TypeOf(current), current.name()));
    } else if (stored.type() == "message") {
      CompareMessages(stored.type_name(), current.type_name());
    } else if (current.type() == "enum") {
      CompareEnums(stored.type_name(), current.type_name());
    }
  }

  void CompareEnums(const std::string& stored_name, const std::string& current_name) {
    if (!compared_.emplace(stored_name, current_name).second) return;
    const v1::EnumDescription* stored = Find(stored_.enums(), stored_name);
    const v1::EnumDescription* current = Find(current_.enums(), current_name);
    if (stored == nullptr || current == nullptr) return;
    for (const v1::EnumValueDescription& value : stored->values()) {
      if (FindNumber(current->values(), value.number()) != nullptr) continue;
      changes_.push_back(absl::StrFormat("value %d of the enum %s was %s and is gone; declare it again, deprecated",
                                         value.number(), current->name(), value.name()));
    }
  }

  const v1::TypeDescription& stored_;
  const v1::TypeDescription& current_;
  std::set<std::pair<std::string, std::string>> compared_;  // messages and enums, by name then and now
  std::vector<std::string> changes_;
};

}  // namespace

v1::TypeDescription DescribeType(const pb::Descriptor& message) {
  v1::TypeDescription description;
  description.set_name(message.full_name());
  description.set_fingerprint(FingerprintOf(message));
  Describer(description).Add(message);
  return description;
}

std::vector<std::string> IncompatibleChanges(const v1::TypeDescription& stored, const v1::TypeDescription& current) {
  if (stored.messages().empty() || current.messages().empty()) return {};
  return Comparison(stored, current).Run();
}

}  // namespace everfold
