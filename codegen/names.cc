#include "codegen/names.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "google/protobuf/compiler/cpp/names.h"

namespace everfold::codegen {

namespace cpp = google::protobuf::compiler::cpp;

std::string SnakeCase(const std::string& name) {
  std::string result;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool after_word = i > 0 && (absl::ascii_islower(name[i - 1]) || absl::ascii_isdigit(name[i - 1]));
    const bool before_word =
        i > 0 && absl::ascii_isupper(name[i - 1]) && i + 1 < name.size() && absl::ascii_islower(name[i + 1]);
    if (absl::ascii_isupper(name[i]) && (after_word || before_word)) result += '_';
    result += absl::ascii_tolower(name[i]);
  }
  return result;
}

std::string Plural(const std::string& noun) {
  const auto ends = [&noun](const char* suffix) { return absl::EndsWithIgnoreCase(noun, suffix); };
  const bool vowel_y = ends("ay") || ends("ey") || ends("iy") || ends("oy") || ends("uy");
  if (ends("y") && !vowel_y) return noun.substr(0, noun.size() - 1) + "ies";
  if (ends("s") || ends("x") || ends("z") || ends("ch") || ends("sh")) return noun + "es";
  return noun + "s";
}

std::string Stem(const pb::FileDescriptor& file) { return std::string(absl::StripSuffix(file.name(), ".proto")); }

std::string BaseName(const pb::FileDescriptor& file) { return file.name().substr(file.name().rfind('/') + 1); }

std::string ProtoName(const std::string& full_name, const std::string& its_package, const std::string& package) {
  if (its_package == package) return package.empty() ? full_name : full_name.substr(package.size() + 1);
  // The first part is looked up from the innermost scope outwards: one that is also a later part of our own package
  // would be found there.
  const std::vector<std::string> ours = absl::StrSplit(package, '.');
  const std::string first = full_name.substr(0, full_name.find('.'));
  for (std::size_t i = 1; i < ours.size(); ++i) {
    if (ours[i] == first) return "." + full_name;
  }
  return full_name;
}

std::string CppNamespace(const pb::FileDescriptor& file) {
  const pb::Descriptor& message = *file.message_type(0);
  const std::string qualified = QualifiedName(message);
  const std::size_t prefix = qualified.size() - ClassName(message).size();
  return prefix <= 2 ? "" : qualified.substr(2, prefix - 4);
}

std::string ClassName(const pb::Descriptor& message) { return cpp::ClassName(&message); }
std::string QualifiedName(const pb::Descriptor& message) { return cpp::QualifiedClassName(&message); }
std::string QualifiedName(const pb::EnumDescriptor& enumeration) { return cpp::QualifiedClassName(&enumeration); }
std::string FieldName(const pb::FieldDescriptor& field) { return cpp::FieldName(&field); }

std::string ValueType(const pb::FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case pb::FieldDescriptor::CPPTYPE_INT32:
      return "std::int32_t";
    case pb::FieldDescriptor::CPPTYPE_INT64:
      return "std::int64_t";
    case pb::FieldDescriptor::CPPTYPE_UINT32:
      return "std::uint32_t";
    case pb::FieldDescriptor::CPPTYPE_UINT64:
      return "std::uint64_t";
    case pb::FieldDescriptor::CPPTYPE_DOUBLE:
      return "double";
    case pb::FieldDescriptor::CPPTYPE_FLOAT:
      return "float";
    case pb::FieldDescriptor::CPPTYPE_BOOL:
      return "bool";
    case pb::FieldDescriptor::CPPTYPE_STRING:
      return "std::string";
    case pb::FieldDescriptor::CPPTYPE_ENUM:
      return QualifiedName(*field.enum_type());
    case pb::FieldDescriptor::CPPTYPE_MESSAGE:
      return QualifiedName(*field.message_type());
  }
  return "";
}

std::string CppLiteral(const std::string& bytes) { return "\"" + absl::CEscape(bytes) + "\""; }

}  // namespace everfold::codegen
