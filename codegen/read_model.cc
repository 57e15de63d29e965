#include "codegen/read_model.h"

#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "codegen/columns.h"
#include "codegen/names.h"
#include "codegen/reserved_names.h"

namespace everfold::codegen {
namespace {

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
  if (refused.empty()) return "";
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

// The columns of an index's field, in the index's order: a Money's currency comes before its minor units, because
// amounts compare within one currency.
std::vector<std::size_t> IndexColumnsOf(const ReadModel& read_model, const pb::FieldDescriptor& field) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < read_model.columns.size(); ++i) {
    if (read_model.columns[i].field == &field) found.insert(found.begin(), i);
  }
  return found;
}

// Adds what is wrong with `name` as the next field of an index.
bool CheckInIndex(const ReadModel& read_model, const std::vector<std::string>& before, const std::string& name,
                  Problems& problems) {
  const pb::Descriptor& row = *read_model.message;
  const pb::FieldDescriptor* field = row.FindFieldByName(name);
  if (field == nullptr) {
    problems.Add(row, absl::StrFormat("an index of %s names %s, which is no field of it; name one of its fields",
                                      row.name(), name));
    return false;
  }
  if (std::count(before.begin(), before.end(), name) > 0) {
    problems.Add(row, absl::StrFormat("an index of %s names %s twice; name it once", row.name(), name));
    return false;
  }
  const std::string refused = RefusedInIndex(*field);
  if (refused.empty()) return true;
  problems.Add(*field, refused +
                           "; an index is made of scalars but uint64, of enums, google.protobuf.Timestamp and "
                           "everfold.v1.Money");
  return false;
}

// True for an index that is the beginning of the key: SQLite searches by that already.
bool BeginsKey(const ReadModel& read_model, const std::vector<std::string>& fields) {
  if (fields.size() > read_model.key.size()) return false;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (read_model.key[i]->name() != fields[i]) return false;
  }
  return true;
}

void ReadIndex(ReadModel& read_model, const v1::IndexOptions& options, Problems& problems) {
  const pb::Descriptor& row = *read_model.message;
  Index index{.columns = {}, .unique = options.unique()};
  std::vector<std::string> fields;
  for (const std::string& name : options.fields()) {
    if (!CheckInIndex(read_model, fields, name, problems)) return;
    fields.push_back(name);
    const auto columns = IndexColumnsOf(read_model, *row.FindFieldByName(name));
    index.columns.insert(index.columns.end(), columns.begin(), columns.end());
  }
  const std::string list = absl::StrJoin(fields, ", ");
  if (fields.empty()) {
    problems.Add(row,
                 absl::StrFormat("an index of %s has no fields; name them: `indexes: {fields: \"...\"}`", row.name()));
  } else if (BeginsKey(read_model, fields) && (!index.unique || fields.size() == read_model.key.size())) {
    problems.Add(row, absl::StrFormat("the index (%s) of %s is how its key begins, by which it is searched already; "
                                      "remove it",
                                      list, row.name()));
  } else if (std::any_of(read_model.indexes.begin(), read_model.indexes.end(),
                         [&index](const Index& other) { return other.columns == index.columns; })) {
    problems.Add(row, absl::StrFormat("%s has the index (%s) twice; remove one", row.name(), list));
  } else {
    read_model.indexes.push_back(std::move(index));
  }
}

// SQLite takes names that differ only in upper and lower case for one.
void CheckColumnNames(const ReadModel& read_model, Problems& problems) {
  std::map<std::string, const pb::FieldDescriptor*> names;
  for (const Column& column : read_model.columns) {
    const auto [other, is_new] = names.emplace(absl::AsciiStrToLower(ColumnName(column)), column.field);
    if (is_new) continue;
    problems.Add(*column.field, absl::StrFormat("the fields %s and %s would both be the column %s; rename one",
                                                other->second->name(), column.field->name(), ColumnName(column)));
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
  for (const Column& column : read_model.columns) {
    out.Print("          {$column$},\n", "column", ColumnInitializers(column));
  }
  for (const pb::FieldDescriptor* part : read_model.key) key.push_back(IndexColumnsOf(read_model, *part).front());
  out.Print("      },\n      .key = {$key$},\n      .indexes = {", "key", absl::StrJoin(key, ", "));
  for (const Index& index : read_model.indexes) {
    out.Print("{.columns = {$columns$}, .unique = $unique$}, ", "columns", absl::StrJoin(index.columns, ", "), "unique",
              index.unique ? "true" : "false");
  }
  out.Print("}};\n  return schema;\n}\n");
}

void EmitBind(const ReadModel& read_model, pb::io::Printer& out) {
  const std::string row = QualifiedName(*read_model.message);
  out.Print("\nvoid ReadModelTraits<$row$>::BindKey(const Key& key, ColumnWriter& out) {\n", "row", row);
  for (std::size_t i = 0; i < read_model.key.size(); ++i) {
    out.Print("  $write$\n", "write", WriteKeyStatement(*read_model.key[i], i));
  }
  out.Print("}\n\nvoid ReadModelTraits<$row$>::Bind(\n    const $row$& row, ColumnWriter& out) {\n", "row", row);
  for (std::size_t i = 0; i < read_model.columns.size(); ++i) {
    out.Print("  $write$\n", "write", WriteStatement(read_model.columns[i], i));
  }
  out.Print("}\n");
}

void EmitRead(const ReadModel& read_model, pb::io::Printer& out) {
  out.Print("\nvoid ReadModelTraits<$row$>::Read(\n    const ColumnReader& in, $row$& row) {\n", "row",
            QualifiedName(*read_model.message));
  for (std::size_t i = 0; i < read_model.columns.size(); ++i) {
    for (const std::string& statement : ReadStatements(read_model.columns[i], i)) {
      out.Print("  $statement$\n", "statement", statement);
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
  ReadModel read_model{.message = &message, .table = SnakeCase(message.name())};
  for (const pb::FieldDescriptor* field : ByNumber(message)) {
    for (const Column& column : ColumnsOf(*field)) read_model.columns.push_back(column);
  }
  if (absl::StartsWith(read_model.table, "sqlite_") || absl::StartsWith(read_model.table, "everfold_")) {
    problems.Add(message, absl::StrFormat("the table %s of %s has a reserved prefix; rename the message",
                                          read_model.table, message.name()));
  }
  CheckColumnNames(read_model, problems);
  ReadKey(read_model, problems);
  for (const v1::IndexOptions& index : message.options().GetExtension(v1::message).read_model().indexes()) {
    ReadIndex(read_model, index, problems);
  }
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
