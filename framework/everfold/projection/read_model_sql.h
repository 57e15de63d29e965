// A read model's SQL. Every statement reads or writes all columns in the order of the schema; a key's parameters come
// in the order of the key.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "everfold/projection/read_model.h"

namespace everfold {

// INVALID_ARGUMENT for a schema without a key, with a table name of the framework's or of SQLite's own, or with the
// table of another one in the list.
absl::Status ValidateSchemas(const std::vector<const ReadModelSchema*>& schemas);

// As a table's definition has it: its name, its type, and whether it may be NULL.
std::string ColumnSql(const Column& column);
// The table and its indexes: statements, one after the other.
std::string CreateTableSql(const ReadModelSchema& schema);
// The table and its unique indexes, which are rules that its rows keep.
std::string CreateBareTableSql(const ReadModelSchema& schema);
// One statement for each index, and its name: <table>.<column>.<column>, as no table can be named.
std::vector<std::string> CreateIndexesSql(const ReadModelSchema& schema);
std::vector<std::string> IndexNames(const ReadModelSchema& schema);
std::string UpsertSql(const ReadModelSchema& schema, std::size_t rows = 1);  // parameters: the columns, row by row
std::string GetSql(const ReadModelSchema& schema);                           // parameters: the key
std::string RemoveSql(const ReadModelSchema& schema);                        // parameters: the key
std::string ScanSql(const ReadModelSchema& schema);
std::string AnyRowSql(const ReadModelSchema& schema);  // 1, if there is a row
// Parameters: those of the condition.
std::string SelectWhereSql(const ReadModelSchema& schema, std::string_view condition);
std::string SelectSql(const ReadModelSchema& schema);  // all columns of all rows, in no order

}  // namespace everfold
