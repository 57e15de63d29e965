#include "everfold/projection/read_model_sql.h"

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/projection/sqlite.h"

namespace everfold {
namespace {

using sqlite::Quoted;

const char* NameOf(ColumnType type) {
  switch (type) {
    case ColumnType::kInteger:
      return "INTEGER";
    case ColumnType::kReal:
      return "REAL";
    case ColumnType::kText:
      return "TEXT";
    case ColumnType::kBlob:
      return "BLOB";
  }
  return "";
}

std::vector<std::string> ColumnNames(const ReadModelSchema& schema) {
  std::vector<std::string> names;
  for (const Column& column : schema.columns) names.push_back(Quoted(column.name));
  return names;
}

std::vector<std::string> KeyNames(const ReadModelSchema& schema) {
  std::vector<std::string> names;
  for (const std::size_t index : schema.key) names.push_back(Quoted(schema.columns[index].name));
  return names;
}

std::string Parameters(std::size_t count) { return absl::StrJoin(std::vector<std::string>(count, "?"), ", "); }

// (a, b) = (?, ?), or with another operator.
std::string CompareKey(const ReadModelSchema& schema, const char* comparison) {
  return absl::StrFormat("(%s) %s (%s)", absl::StrJoin(KeyNames(schema), ", "), comparison,
                         Parameters(schema.key.size()));
}

std::string OrderSql(const ReadModelSchema& schema) { return " ORDER BY " + absl::StrJoin(KeyNames(schema), ", "); }

// SQLite keeps a table by its rowid fastest where the key is a single integer, which then is the rowid.
bool KeyIsRowid(const ReadModelSchema& schema) {
  return schema.key.size() == 1 && schema.columns[schema.key[0]].type == ColumnType::kInteger;
}

std::string IndexName(const ReadModelSchema& schema, const Index& index) {
  std::string name = schema.table;
  for (const std::size_t column : index.columns) name += '.' + schema.columns[column].name;
  return name;
}

std::string CreateIndexSql(const ReadModelSchema& schema, const Index& index) {
  std::vector<std::string> columns;
  for (const std::size_t column : index.columns) columns.push_back(Quoted(schema.columns[column].name));
  return absl::StrFormat("CREATE %sINDEX %s ON %s (%s)", index.unique ? "UNIQUE " : "",
                         Quoted(IndexName(schema, index)), Quoted(schema.table), absl::StrJoin(columns, ", "));
}

absl::Status ValidateIndex(const ReadModelSchema& schema, const Index& index) {
  for (const std::size_t column : index.columns) {
    if (column < schema.columns.size()) continue;
    return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                 absl::StrFormat("read model %s has an index of column %d of %d", schema.message, column,
                                 schema.columns.size()));
  }
  if (!index.columns.empty()) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
               absl::StrFormat("read model %s has an index without columns", schema.message));
}

absl::Status ValidateSchema(const ReadModelSchema& schema) {
  const auto invalid = [&schema](const char* what) {
    return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                 absl::StrFormat("read model %s (table \"%s\") %s", schema.message, schema.table, what));
  };
  if (schema.key.empty()) return invalid("has no key");
  for (const std::size_t index : schema.key) {
    if (index >= schema.columns.size()) return invalid("has a key that is none of its columns");
    if (schema.columns[index].nullable) return invalid("has a key that may be missing; drop `optional` from its field");
  }
  for (const Index& index : schema.indexes) EVERFOLD_RETURN_IF_ERROR(ValidateIndex(schema, index));
  if (schema.table.empty()) return invalid("has no table name");
  if (absl::StartsWith(schema.table, "everfold_") || absl::StartsWith(schema.table, "sqlite_")) {
    return invalid("has a name of the framework's own; choose another one for the message");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateSchemas(const std::vector<const ReadModelSchema*>& schemas) {
  std::set<std::string> tables;
  for (const ReadModelSchema* schema : schemas) {
    EVERFOLD_RETURN_IF_ERROR(ValidateSchema(*schema));
    if (!tables.insert(schema->table).second) {
      return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                   absl::StrFormat("two read models of one projection have the table \"%s\"", schema->table));
    }
  }
  return absl::OkStatus();
}

std::string ColumnSql(const Column& column) {
  return absl::StrFormat("%s %s%s", Quoted(column.name), NameOf(column.type), column.nullable ? "" : " NOT NULL");
}

std::string CreateBareTableSql(const ReadModelSchema& schema) {
  std::string columns;
  for (const Column& column : schema.columns) columns += ColumnSql(column) + ", ";
  std::string sql = absl::StrFormat("CREATE TABLE %s (%sPRIMARY KEY (%s)) STRICT%s", Quoted(schema.table), columns,
                                    absl::StrJoin(KeyNames(schema), ", "), KeyIsRowid(schema) ? "" : ", WITHOUT ROWID");
  for (const Index& index : schema.indexes) {
    if (index.unique) sql += ";\n" + CreateIndexSql(schema, index);
  }
  return sql;
}

std::string CreateTableSql(const ReadModelSchema& schema) {
  std::string sql = CreateBareTableSql(schema);
  for (const Index& index : schema.indexes) {
    if (!index.unique) sql += ";\n" + CreateIndexSql(schema, index);
  }
  return sql;
}

std::vector<std::string> CreateIndexesSql(const ReadModelSchema& schema) {
  std::vector<std::string> indexes;
  for (const Index& index : schema.indexes) indexes.push_back(CreateIndexSql(schema, index));
  return indexes;
}

std::vector<std::string> IndexNames(const ReadModelSchema& schema) {
  std::vector<std::string> names;
  for (const Index& index : schema.indexes) names.push_back(IndexName(schema, index));
  return names;
}

std::string SelectSql(const ReadModelSchema& schema) {
  return absl::StrFormat("SELECT %s FROM %s", absl::StrJoin(ColumnNames(schema), ", "), Quoted(schema.table));
}

std::string UpsertSql(const ReadModelSchema& schema, std::size_t rows) {
  std::vector<std::string> assignments;
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    if (std::find(schema.key.begin(), schema.key.end(), i) != schema.key.end()) continue;
    const std::string name = Quoted(schema.columns[i].name);
    assignments.push_back(absl::StrFormat("%s = excluded.%s", name, name));
  }
  const std::string update =
      assignments.empty() ? "NOTHING" : absl::StrFormat("UPDATE SET %s", absl::StrJoin(assignments, ", "));
  const std::vector<std::string> values(rows, absl::StrFormat("(%s)", Parameters(schema.columns.size())));
  return absl::StrFormat("INSERT INTO %s (%s) VALUES %s ON CONFLICT (%s) DO %s", Quoted(schema.table),
                         absl::StrJoin(ColumnNames(schema), ", "), absl::StrJoin(values, ", "),
                         absl::StrJoin(KeyNames(schema), ", "), update);
}

std::string GetSql(const ReadModelSchema& schema) {
  return absl::StrFormat("%s WHERE %s", SelectSql(schema), CompareKey(schema, "="));
}

std::string RemoveSql(const ReadModelSchema& schema) {
  return absl::StrFormat("DELETE FROM %s WHERE %s", Quoted(schema.table), CompareKey(schema, "="));
}

std::string ScanSql(const ReadModelSchema& schema) { return SelectSql(schema) + OrderSql(schema); }

std::string AnyRowSql(const ReadModelSchema& schema) {
  return absl::StrFormat("SELECT 1 FROM %s LIMIT 1", Quoted(schema.table));
}

std::string SelectWhereSql(const ReadModelSchema& schema, std::string_view condition) {
  // A comment in the condition ends with the line.
  return absl::StrFormat("%s WHERE (%s\n)%s", SelectSql(schema), std::string(condition), OrderSql(schema));
}

}  // namespace everfold
