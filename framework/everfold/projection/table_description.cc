#include "everfold/projection/table_description.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/projection/read_model_sql.h"

namespace everfold {
namespace {

using sqlite::Quoted;

std::string NamesOf(const ReadModelSchema& schema, const std::vector<std::size_t>& columns) {
  std::vector<std::string> names;
  for (const std::size_t column : columns) names.push_back(Quoted(schema.columns[column].name));
  return absl::StrJoin(names, ", ");
}

// What SQLite has no type of its own for, as far as it decides what is in the rows.
std::string FormOf(const Column& column) {
  if (column.meaning == ColumnMeaning::kTimestamp) return " time";
  if (column.meaning == ColumnMeaning::kEnum) return " enum";
  return column.shape.empty() ? "" : absl::StrCat(" json ", column.shape);
}

std::string NameLine(const ReadModelSchema& schema) {
  return absl::StrCat("table ", Quoted(schema.table), " key ", NamesOf(schema, schema.key));
}

std::string ColumnLine(const Column& column) { return absl::StrCat("column ", ColumnSql(column), FormOf(column)); }

// Rows hold the names, and the number of a value that has none.
std::vector<std::string> ValueLines(const Column& column) {
  std::vector<std::string> lines;
  if (column.enumeration == nullptr) return lines;
  for (int i = 0; i < column.enumeration->value_count(); ++i) {
    const google::protobuf::EnumValueDescriptor& value = *column.enumeration->value(i);
    lines.push_back(absl::StrCat("value ", Quoted(column.name), " ", value.name(), " = ", value.number()));
  }
  return lines;
}

std::string DescribeTable(const ReadModelSchema& schema) {
  std::vector<std::string> lines = {NameLine(schema)};
  for (const Column& column : schema.columns) {
    lines.push_back(ColumnLine(column));
    for (std::string& value : ValueLines(column)) lines.push_back(std::move(value));
  }
  for (const Index& index : schema.indexes) {
    if (index.unique) lines.push_back(absl::StrCat("unique ", NamesOf(schema, index.columns)));
  }
  return absl::StrCat(absl::StrJoin(lines, "\n"), "\n");
}

// By the line that begins a table: those of its columns, and of their values.
std::map<std::string, std::set<std::string>> LinesOfTables(std::string_view description) {
  std::map<std::string, std::set<std::string>> tables;
  std::set<std::string>* of_table = nullptr;
  const std::vector<std::string> lines = absl::StrSplit(std::string(description), '\n');
  for (const std::string& line : lines) {
    if (line.starts_with("table ")) of_table = &tables[line];
    const bool is_of_column = line.starts_with("column ") || line.starts_with("value ");
    if (is_of_column && of_table != nullptr) of_table->insert(line);
  }
  return tables;
}

bool HasLineOf(const std::set<std::string>& lines, const std::string& beginning) {
  const auto at = lines.lower_bound(beginning);
  return at != lines.end() && at->starts_with(beginning);
}

// Rows may hold what this code has no value for.
bool LacksValueOf(const Column& column, const std::set<std::string>& lines) {
  const std::vector<std::string> values = ValueLines(column);
  const std::string beginning = absl::StrCat("value ", Quoted(column.name), " ");
  for (auto at = lines.lower_bound(beginning); at != lines.end() && at->starts_with(beginning); ++at) {
    if (std::find(values.begin(), values.end(), *at) == values.end()) return true;
  }
  return false;
}

// Of a field that nobody has set.
std::string ValueOfAdded(const Column& column) {
  if (column.nullable) return "NULL";
  if (column.meaning == ColumnMeaning::kJson) return "'null'";  // what JSON says for no elements, too
  if (column.meaning == ColumnMeaning::kEnum) {
    const google::protobuf::EnumValueDescriptor* const zero = column.enumeration->FindValueByNumber(0);
    return zero != nullptr ? absl::StrCat("'", zero->name(), "'") : "'0'";
  }
  switch (column.type) {
    case ColumnType::kInteger:
      return "0";
    case ColumnType::kReal:
      return "0.0";
    case ColumnType::kText:
      return "''";
    case ColumnType::kBlob:
      return "x''";
  }
  return "NULL";
}

// `there`: the lines of the file's table, or nullptr if it has no such table.
std::string ViewSql(const ReadModelSchema& schema, const std::set<std::string>* there) {
  std::vector<std::string> columns;
  for (const Column& column : schema.columns) {
    const bool is_there = there != nullptr && there->contains(ColumnLine(column));
    const std::string name = Quoted(column.name);
    columns.push_back(is_there ? name : absl::StrCat(ValueOfAdded(column), " AS ", name));
  }
  const std::string from = there != nullptr ? absl::StrCat(" FROM main.", Quoted(schema.table)) : " WHERE 0";
  return absl::StrCat("CREATE TEMP VIEW ", Quoted(schema.table), " AS SELECT ", absl::StrJoin(columns, ", "), from);
}

}  // namespace

std::string DescribeTables(const std::vector<const ReadModelSchema*>& schemas) {
  std::vector<std::string> tables;
  for (const ReadModelSchema* schema : schemas) tables.push_back(DescribeTable(*schema));
  std::sort(tables.begin(), tables.end());
  return absl::StrJoin(tables, "");
}

std::optional<std::vector<std::string>> ViewsOfAdded(std::string_view description,
                                                     const std::vector<const ReadModelSchema*>& schemas) {
  const std::map<std::string, std::set<std::string>> tables = LinesOfTables(description);
  std::vector<std::string> views;
  for (const ReadModelSchema* schema : schemas) {
    const auto table = tables.find(NameLine(*schema));
    if (table == tables.end()) {
      // With another key it is another table.
      const std::string beginning = absl::StrCat("table ", Quoted(schema->table), " ");
      const auto other = tables.lower_bound(beginning);
      if (other != tables.end() && other->first.starts_with(beginning)) return std::nullopt;
      views.push_back(ViewSql(*schema, nullptr));
      continue;
    }
    bool added = false;
    for (const Column& column : schema->columns) {
      if (LacksValueOf(column, table->second)) return std::nullopt;
      if (table->second.contains(ColumnLine(column))) continue;
      if (HasLineOf(table->second, absl::StrCat("column ", Quoted(column.name), " "))) return std::nullopt;
      added = true;
    }
    if (added) views.push_back(ViewSql(*schema, &table->second));
  }
  return views;
}

absl::Status ShowAsOf(const std::vector<const ReadModelSchema*>& schemas, sqlite::Database& database) {
  EVERFOLD_ASSIGN_OR_RETURN(const auto meta, database.Prepare("SELECT tables FROM everfold_meta"));
  EVERFOLD_ASSIGN_OR_RETURN(const bool found, meta->Step());
  const std::optional<std::vector<std::string>> views =
      found ? ViewsOfAdded(meta->Text(0), schemas) : std::optional<std::vector<std::string>>();
  meta->Reset();
  if (!views.has_value()) {
    return Error(absl::StatusCode::kFailedPrecondition, reason::kReadModelFailed,
                 "the file has other tables than the code that reads it");
  }
  for (const std::string& view : *views) EVERFOLD_RETURN_IF_ERROR(database.Execute(view));
  return absl::OkStatus();
}

}  // namespace everfold
