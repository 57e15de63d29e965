#include "codegen/read_model.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "codegen/columns.h"
#include "codegen/names.h"
#include "codegen/reserved_names.h"

namespace everfold::codegen {
namespace {

// "kText" -> "Text".
std::string AccessOf(const pb::FieldDescriptor& column) { return ColumnTypeOf(column).substr(1); }

std::vector<const pb::FieldDescriptor*> ByNumber(const pb::Descriptor& message) {
  std::vector<const pb::FieldDescriptor*> fields;
  for (int i = 0; i < message.field_count(); ++i) fields.push_back(message.field(i));
  std::sort(fields.begin(), fields.end(), [](auto* a, auto* b) { return a->number() < b->number(); });
  return fields;
}

// What is wrong with `name` as the next part of the key; "" if nothing.
std::string RefusedInKey(const ReadModel& read_model, const std::string& name) {
  const pb::Descriptor& row = *read_model.message;
  const pb::FieldDescriptor* field = row.FindFieldByName(name);
  if (field == nullptr) {
    return absl::StrFormat("the key of %s names %s, which is no field of it; name one of its fields", row.name(), name);
  }
  if (std::count(read_model.key.begin(), read_model.key.end(), field) > 0) {
    return absl::StrFormat("the key of %s names %s twice; name it once", row.name(), name);
  }
  if (name == kConsistencyTokenField) {
    return absl::StrFormat("the key field %s has the name of a field that every query has; rename it", name);
  }
  const std::string refused = RefusedAsKey(*field);
  if (refused.empty() || !RefusedAsColumn(*field).empty()) return "";
  return refused + "; a key is made of string, bytes, bool, enum, and integers but uint64";
}

void ReadKey(ReadModel& read_model, Problems& problems) {
  const pb::Descriptor& row = *read_model.message;
  const auto& key = row.options().GetExtension(v1::message).read_model().key();
  if (key.empty()) {
    problems.Add(row, absl::StrFormat("the read model %s has no key; name its fields: `read_model = {key: \"...\"}`",
                                      row.name()));
  }
  for (const std::string& name : key) {
    const std::string refused = RefusedInKey(read_model, name);
    const pb::FieldDescriptor* field = row.FindFieldByName(name);
    if (!refused.empty()) {
      field != nullptr ? problems.Add(*field, refused) : problems.Add(row, refused);
    } else {
      read_model.key.push_back(field);
    }
  }
}

std::string KeyArgument(const pb::FieldDescriptor& field) { return "key." + FieldName(field); }
std::string RowArgument(const pb::FieldDescriptor& field) { return "row." + FieldName(field) + "()"; }

void EmitKeyStruct(const ReadModel& read_model, pb::io::Printer& out) {
  out.Print("  struct Key {\n");
  if (read_model.key.size() == 1) {
    const pb::FieldDescriptor& field = *read_model.key.front();
    const bool text = field.cpp_type() == pb::FieldDescriptor::CPPTYPE_STRING;
    const std::string name = FieldName(field);
    out.Print("    Key($type$ $name$) : $name$($value$) {}  // NOLINT: implicit on purpose\n", "type", ValueType(field),
              "name", name, "value", text ? "std::move(" + name + ")" : name);
    out.Print("    $type$ $name$;\n", "type", ValueType(field), "name", name);
  } else {
    for (const pb::FieldDescriptor* field : read_model.key) {
      out.Print("    $type$ $name${};\n", "type", ValueType(*field), "name", FieldName(*field));
    }
  }
  out.Print("  };\n");
}

void EmitSchema(const ReadModel& read_model, pb::io::Printer& out) {
  out.Print(
      "\nconst ReadModelSchema& ReadModelTraits<$row$>::Schema() {\n"
      "  static const ReadModelSchema& schema = *new ReadModelSchema{\n"
      "      .message = \"$message$\",\n"
      "      .table = \"$table$\",\n"
      "      .columns = {\n",
      "row", QualifiedName(*read_model.message), "message", read_model.message->full_name(), "table", read_model.table);
  std::vector<std::size_t> key;
  for (const pb::FieldDescriptor* column : read_model.columns) {
    out.Print("          {.name = \"$name$\", .type = ColumnType::$type$, .nullable = $nullable$},\n", "name",
              column->name(), "type", ColumnTypeOf(*column), "nullable", column->has_presence() ? "true" : "false");
  }
  for (const pb::FieldDescriptor* part : read_model.key) {
    const auto& columns = read_model.columns;
    key.push_back(static_cast<std::size_t>(std::find(columns.begin(), columns.end(), part) - columns.begin()));
  }
  out.Print("      },\n      .key = {$key$}};\n  return schema;\n}\n", "key", absl::StrJoin(key, ", "));
}

// One call of a ColumnWriter.
std::string Write(const pb::FieldDescriptor& field, std::size_t index, const std::string& value) {
  return absl::StrFormat("out.%s(%d, %s);", AccessOf(field), index, ToColumn(field, value));
}

void EmitBind(const ReadModel& read_model, pb::io::Printer& out) {
  const std::string row = QualifiedName(*read_model.message);
  out.Print("\nvoid ReadModelTraits<$row$>::BindKey(const Key& key, ColumnWriter& out) {\n", "row", row);
  for (std::size_t i = 0; i < read_model.key.size(); ++i) {
    out.Print("  $write$\n", "write", Write(*read_model.key[i], i, KeyArgument(*read_model.key[i])));
  }
  out.Print("}\n\nvoid ReadModelTraits<$row$>::Bind(\n    const $row$& row, ColumnWriter& out) {\n", "row", row);
  for (std::size_t i = 0; i < read_model.columns.size(); ++i) {
    const pb::FieldDescriptor& column = *read_model.columns[i];
    const std::string write = Write(column, i, RowArgument(column));
    if (column.has_presence()) {
      out.Print("  row.has_$name$() ? $write$ : out.Null($index$);\n", "name", FieldName(column), "write",
                write.substr(0, write.size() - 1), "index", absl::StrFormat("%d", i));
    } else {
      out.Print("  $write$\n", "write", write);
    }
  }
  out.Print("}\n");
}

// The statement that puts a column into the row.
std::string Assign(const pb::FieldDescriptor& column, std::size_t index) {
  const std::string read = absl::StrFormat("in.%s(%d)", AccessOf(column), index);
  if (IsTimestamp(column)) {
    return absl::StrFormat("*row.mutable_%s() = TimestampOf(absl::FromUnixMicros(%s));", FieldName(column), read);
  }
  return absl::StrFormat("row.set_%s(%s);", FieldName(column), FromColumn(column, read));
}

void EmitRead(const ReadModel& read_model, pb::io::Printer& out) {
  out.Print("\nvoid ReadModelTraits<$row$>::Read(\n    const ColumnReader& in, $row$& row) {\n", "row",
            QualifiedName(*read_model.message));
  for (std::size_t i = 0; i < read_model.columns.size(); ++i) {
    const pb::FieldDescriptor& column = *read_model.columns[i];
    if (column.has_presence()) {
      out.Print("  row.clear_$name$();\n  if (!in.IsNull($index$)) $assign$\n", "name", FieldName(column), "index",
                absl::StrFormat("%d", i), "assign", Assign(column, i));
    } else {
      out.Print("  $assign$\n", "assign", Assign(column, i));
    }
  }
  out.Print("}\n");
}

void EmitKeyFunctions(const ReadModel& read_model, pb::io::Printer& out) {
  const std::string row = QualifiedName(*read_model.message);
  const std::string values = absl::StrJoin(
      read_model.key, ", ", [](std::string* text, const auto* field) { text->append(RowArgument(*field)); });
  out.Print(
      "\nauto ReadModelTraits<$row$>::KeyOf(\n"
      "    const $row$& row) -> Key {\n"
      "  return Key{$values$};\n"
      "}\n\n"
      "void ReadModelTraits<$row$>::SetKey(\n"
      "    const Key& key, $row$& row) {\n",
      "row", row, "values", values);
  for (const pb::FieldDescriptor* field : read_model.key) {
    out.Print("  row.set_$name$($value$);\n", "name", FieldName(*field), "value", KeyArgument(*field));
  }
  out.Print("}\n");
}

}  // namespace

ReadModel ReadReadModel(const pb::Descriptor& message, Problems& problems) {
  ReadModel read_model{.message = &message, .table = SnakeCase(message.name()), .columns = ByNumber(message)};
  if (absl::StartsWith(read_model.table, "sqlite_") || absl::StartsWith(read_model.table, "everfold_")) {
    problems.Add(message, absl::StrFormat("the table %s of %s has a reserved prefix; rename the message",
                                          read_model.table, message.name()));
  }
  for (const pb::FieldDescriptor* column : read_model.columns) {
    const std::string refused = RefusedAsColumn(*column);
    if (refused.empty()) continue;
    problems.Add(*column, refused +
                              "; columns are scalars, enums and google.protobuf.Timestamp: give each part a "
                              "column, or make the many a read model of their own");
  }
  ReadKey(read_model, problems);
  return read_model;
}

void EmitReadModelTraits(const ReadModel& read_model, pb::io::Printer& out) {
  out.Print("template <>\nstruct ReadModelTraits<$row$> {\n", "row", QualifiedName(*read_model.message));
  EmitKeyStruct(read_model, out);
  out.Print(
      "  static const ReadModelSchema& Schema();\n"
      "  static void BindKey(const Key& key, ColumnWriter& out);\n"
      "  static void Bind(const $row$& row, ColumnWriter& out);\n"
      "  static void Read(const ColumnReader& in, $row$& row);\n"
      "  static Key KeyOf(const $row$& row);\n"
      "  static void SetKey(const Key& key, $row$& row);\n"
      "  static std::unique_ptr<RpcService> MakeQueryService(QueryEngine& queries);\n"
      "};\n\n",
      "row", QualifiedName(*read_model.message));
}

void EmitReadModelDefinitions(const ReadModel& read_model, pb::io::Printer& out) {
  EmitSchema(read_model, out);
  EmitBind(read_model, out);
  EmitRead(read_model, out);
  EmitKeyFunctions(read_model, out);
}

}  // namespace everfold::codegen
