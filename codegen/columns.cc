#include "codegen/columns.h"

#include "absl/strings/str_format.h"
#include "codegen/names.h"
#include "everfold/base/digest.h"
#include "everfold/event/fingerprint.h"

namespace everfold::codegen {
namespace {

using pb::FieldDescriptor;
using Part = Column::Part;

constexpr std::size_t kShapeDigits = 16;

// What a column's values stand for, as everfold::ColumnMeaning names it.
enum class Form { kPlain, kBool, kFloat, kUnsigned, kEnum, kTimestamp, kMoney, kJson };

bool IsMessage(const FieldDescriptor& field, const char* name) {
  return !field.is_repeated() && field.message_type() != nullptr && field.message_type()->full_name() == name;
}

Form FormOf(const FieldDescriptor& field) {
  if (IsMessage(field, "google.protobuf.Timestamp")) return Form::kTimestamp;
  if (IsMessage(field, "everfold.v1.Money")) return Form::kMoney;
  if (field.is_repeated() || field.message_type() != nullptr) return Form::kJson;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return Form::kBool;
    case FieldDescriptor::CPPTYPE_FLOAT:
      return Form::kFloat;
    case FieldDescriptor::CPPTYPE_UINT64:
      return Form::kUnsigned;
    case FieldDescriptor::CPPTYPE_ENUM:
      return Form::kEnum;
    default:
      return Form::kPlain;
  }
}

// "Integer", "Real", "Text" or "Blob": what ColumnWriter and ColumnReader offer, and, with a k, the ColumnType.
std::string Access(const Column& column) {
  const FieldDescriptor& field = *column.field;
  if (column.part != Part::kWhole) return column.part == Part::kMinor ? "Integer" : "Text";
  if (FormOf(field) == Form::kTimestamp || FormOf(field) == Form::kJson) return "Text";
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return "Real";
    case FieldDescriptor::CPPTYPE_ENUM:
      return "Text";
    case FieldDescriptor::CPPTYPE_STRING:
      return field.type() == FieldDescriptor::TYPE_BYTES ? "Blob" : "Text";
    default:
      return "Integer";
  }
}

// "map", "repeated", "a message", or the type's name.
std::string Kind(const FieldDescriptor& field) {
  if (field.is_map()) return "a map";
  if (field.is_repeated()) return "repeated";
  if (field.message_type() != nullptr) return "a message";
  return field.type_name();
}

// A digest of everything that decides what JSON there may be in the column.
std::string ShapeOf(const FieldDescriptor& field) {
  std::string shape =
      absl::StrFormat("%s %s ", field.label() == FieldDescriptor::LABEL_REPEATED ? "many" : "one", field.type_name());
  if (field.message_type() != nullptr) shape += FingerprintOf(*field.message_type());
  if (field.enum_type() != nullptr) {
    for (int i = 0; i < field.enum_type()->value_count(); ++i) {
      shape += absl::StrFormat("%s=%d ", field.enum_type()->value(i)->name(), field.enum_type()->value(i)->number());
    }
  }
  return HexEncode(Sha256(shape)).substr(0, kShapeDigits);
}

// The C++ expression of the column's value, from one of the field's value.
std::string ToColumn(const FieldDescriptor& field, const std::string& value) {
  switch (FormOf(field)) {
    case Form::kEnum:
      return absl::StrFormat("EnumText(%s)", value);
    case Form::kUnsigned:
      return absl::StrFormat("static_cast<std::int64_t>(%s)", value);
    default:
      return value;
  }
}

// The C++ expression of the field's value.
std::string FromColumn(const FieldDescriptor& field, std::size_t index, const std::string& access) {
  const std::string column = absl::StrFormat("in.%s(%d)", access, index);
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_ENUM:
      return absl::StrFormat("ReadEnum<%s>(%d, in)", ValueType(field), index);
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

// The statement that reads a column which is not NULL.
std::string Assign(const Column& column, std::size_t index) {
  const FieldDescriptor& field = *column.field;
  const std::string name = FieldName(field);
  if (column.part == Part::kMinor) {
    return absl::StrFormat("row.mutable_%s()->set_minor(in.Integer(%d));", name, index);
  }
  if (column.part == Part::kCurrency) {
    return absl::StrFormat("row.mutable_%s()->set_currency(std::string(in.Text(%d)));", name, index);
  }
  switch (FormOf(field)) {
    case Form::kTimestamp:
      return absl::StrFormat("ReadTimestamp(%d, in, *row.mutable_%s());", index, name);
    case Form::kJson:
      return absl::StrFormat("ReadJson(%d, in, \"%s\", row);", index, field.name());
    default:
      return absl::StrFormat("row.set_%s(%s);", name, FromColumn(field, index, Access(column)));
  }
}

// The call, without semicolon, that writes a column which is set.
std::string Write(const Column& column, std::size_t index) {
  const std::string value = absl::StrFormat("row.%s()", FieldName(*column.field));
  if (column.part == Part::kMinor) return absl::StrFormat("out.Integer(%d, %s.minor())", index, value);
  if (column.part == Part::kCurrency) return absl::StrFormat("out.Text(%d, %s.currency())", index, value);
  if (FormOf(*column.field) == Form::kTimestamp) return absl::StrFormat("WriteTimestamp(%d, %s, out)", index, value);
  return absl::StrFormat("out.%s(%d, %s)", Access(column), index, ToColumn(*column.field, value));
}

// Through a row in which nothing else is set.
std::string WriteJsonStatement(const Column& column, std::size_t index) {
  const FieldDescriptor& field = *column.field;
  const std::string name = FieldName(field);
  const std::string write =
      absl::StrFormat("{ %s only; *only.mutable_%s() = row.%s(); WriteJson(%d, only, \"%s\", out); }",
                      QualifiedName(*field.containing_type()), name, name, index, field.name());
  if (!field.has_presence()) return write;
  return absl::StrFormat("if (!row.has_%s()) out.Null(%d); else %s", name, index, write);
}

std::string Meaning(Form form) {
  switch (form) {
    case Form::kBool:
      return "kBool";
    case Form::kFloat:
      return "kFloat";
    case Form::kUnsigned:
      return "kUnsigned";
    case Form::kEnum:
      return "kEnum";
    case Form::kTimestamp:
      return "kTimestamp";
    case Form::kJson:
      return "kJson";
    case Form::kPlain:
    case Form::kMoney:
      return "";
  }
  return "";
}

}  // namespace

std::vector<Column> ColumnsOf(const FieldDescriptor& field) {
  if (FormOf(field) != Form::kMoney) return {{&field, Part::kWhole}};
  return {{&field, Part::kMinor}, {&field, Part::kCurrency}};
}

std::string RefusedAsKey(const FieldDescriptor& field) {
  if (field.is_repeated() || field.message_type() != nullptr) {
    return absl::StrFormat("the key field %s is %s", field.name(), Kind(field));
  }
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

std::string RefusedInIndex(const FieldDescriptor& field) {
  const Form form = FormOf(field);
  if (form != Form::kJson && form != Form::kUnsigned) return "";
  return absl::StrFormat("the index field %s is %s", field.name(), Kind(field));
}

std::string ColumnName(const Column& column) {
  switch (column.part) {
    case Part::kWhole:
      return column.field->name();
    case Part::kMinor:
      return column.field->name() + "_minor";
    case Part::kCurrency:
      return column.field->name() + "_currency";
  }
  return "";
}

std::string FieldPath(const Column& column) {
  if (column.part == Part::kWhole) return column.field->name();
  return column.field->name() + (column.part == Part::kMinor ? ".minor" : ".currency");
}

std::string ColumnInitializers(const Column& column) {
  const FieldDescriptor& field = *column.field;
  const Form form = FormOf(field);
  std::string text = absl::StrFormat(".name = \"%s\", .type = ColumnType::k%s, .nullable = %s", ColumnName(column),
                                     Access(column), field.has_presence() ? "true" : "false");
  if (!Meaning(form).empty()) text += absl::StrFormat(", .meaning = ColumnMeaning::%s", Meaning(form));
  if (column.part != Part::kWhole) text += absl::StrFormat(", .field = \"%s\"", FieldPath(column));
  if (form == Form::kEnum) {
    text += absl::StrFormat(", .enumeration = google::protobuf::GetEnumDescriptor<%s>()", ValueType(field));
  }
  if (form == Form::kJson) text += absl::StrFormat(", .shape = \"%s\"", ShapeOf(field));
  return text;
}

std::string WriteStatement(const Column& column, std::size_t index) {
  const FieldDescriptor& field = *column.field;
  if (FormOf(field) == Form::kJson) return WriteJsonStatement(column, index);
  const std::string write = Write(column, index);
  if (!field.has_presence()) return write + ";";
  return absl::StrFormat("row.has_%s() ? %s : out.Null(%d);", FieldName(field), write, index);
}

std::string WriteKeyStatement(const FieldDescriptor& field, std::size_t index) {
  return absl::StrFormat("out.%s(%d, %s);", Access({&field, Part::kWhole}), index,
                         ToColumn(field, "key." + FieldName(field)));
}

std::vector<std::string> ReadStatements(const Column& column, std::size_t index) {
  const FieldDescriptor& field = *column.field;
  std::vector<std::string> statements;
  // A Money is cleared once, by the first of its columns.
  const bool clears = field.has_presence() && column.part != Part::kCurrency;
  if (clears) statements.push_back(absl::StrFormat("row.clear_%s();", FieldName(field)));
  const std::string condition = field.has_presence() ? absl::StrFormat("if (!in.IsNull(%d)) ", index) : "";
  statements.push_back(condition + Assign(column, index));
  return statements;
}

}  // namespace everfold::codegen
