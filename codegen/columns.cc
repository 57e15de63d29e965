#include "codegen/columns.h"

#include "absl/strings/str_format.h"
#include "codegen/names.h"

namespace everfold::codegen {
namespace {

using pb::FieldDescriptor;

bool IsScalar(const FieldDescriptor& field) { return field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE; }

}  // namespace

bool IsTimestamp(const FieldDescriptor& field) {
  return field.message_type() != nullptr && field.message_type()->full_name() == "google.protobuf.Timestamp";
}

std::string RefusedAsColumn(const FieldDescriptor& field) {
  if (field.is_map()) return absl::StrFormat("the column %s is a map", field.name());
  if (field.is_repeated()) return absl::StrFormat("the column %s is repeated", field.name());
  if (IsScalar(field) || IsTimestamp(field)) return "";
  return absl::StrFormat("the column %s is a message", field.name());
}

std::string RefusedAsKey(const FieldDescriptor& field) {
  if (field.has_presence()) return absl::StrFormat("the key field %s may be unset", field.name());
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_UINT64:
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return absl::StrFormat("the key field %s is %s", field.name(), field.type_name());
    default:
      return "";
  }
}

std::string ColumnTypeOf(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return "kReal";
    case FieldDescriptor::CPPTYPE_ENUM:
      return "kText";
    case FieldDescriptor::CPPTYPE_STRING:
      return field.type() == FieldDescriptor::TYPE_BYTES ? "kBlob" : "kText";
    default:
      return "kInteger";
  }
}

std::string ToColumn(const FieldDescriptor& field, const std::string& value) {
  if (IsTimestamp(field)) return absl::StrFormat("absl::ToUnixMicros(TimeOf(%s))", value);
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_ENUM:
      return absl::StrFormat("EnumText(%s)", value);
    case FieldDescriptor::CPPTYPE_UINT64:
      return absl::StrFormat("static_cast<std::int64_t>(%s)", value);
    default:
      return value;
  }
}

std::string FromColumn(const FieldDescriptor& field, const std::string& column) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_ENUM:
      return absl::StrFormat("EnumOf<%s>(%s)", ValueType(field), column);
    case FieldDescriptor::CPPTYPE_STRING:
      return absl::StrFormat("std::string(%s)", column);
    case FieldDescriptor::CPPTYPE_BOOL:
      return absl::StrFormat("%s != 0", column);
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return absl::StrFormat("static_cast<%s>(%s)", ValueType(field), column);
    default:
      return column;
  }
}

}  // namespace everfold::codegen
