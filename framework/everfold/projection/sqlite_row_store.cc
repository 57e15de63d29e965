#include "everfold/projection/sqlite_row_store.h"

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/projection/read_model_sql.h"

namespace everfold {

absl::StatusOr<std::unique_ptr<SqliteRowStore>> SqliteRowStore::Prepare(
    sqlite::Database& database, const std::vector<const ReadModelSchema*>& schemas) {
  std::unique_ptr<SqliteRowStore> rows(new SqliteRowStore());
  for (const ReadModelSchema* schema : schemas) EVERFOLD_RETURN_IF_ERROR(rows->PrepareTable(database, *schema));
  return rows;
}

absl::Status SqliteRowStore::PrepareTable(sqlite::Database& database, const ReadModelSchema& schema) {
  TableStatements table;
  EVERFOLD_ASSIGN_OR_RETURN(table.get, database.Prepare(GetSql(schema)));
  EVERFOLD_ASSIGN_OR_RETURN(table.upsert, database.Prepare(UpsertSql(schema)));
  EVERFOLD_ASSIGN_OR_RETURN(table.remove, database.Prepare(RemoveSql(schema)));
  EVERFOLD_ASSIGN_OR_RETURN(table.scan, database.Prepare(ScanSql(schema)));
  tables_.emplace(&schema, std::move(table));
  return absl::OkStatus();
}

void SqliteRowStore::KeepError(absl::Status status) {
  if (status_.ok()) status_ = std::move(status);
}

SqliteRowStore::TableStatements* SqliteRowStore::Find(const ReadModelSchema& schema) {
  if (!status_.ok()) return nullptr;
  const auto found = tables_.find(&schema);
  if (found != tables_.end()) return &found->second;
  KeepError(Error(absl::StatusCode::kInvalidArgument, reason::kReadModelFailed,
                  absl::StrFormat("%s is not a read model of this projection", schema.message)));
  return nullptr;
}

SqliteRowStore::TableStatements* SqliteRowStore::FindIdle(const ReadModelSchema& schema) {
  TableStatements* const table = Find(schema);
  if (table == nullptr || !table->scanning) return table;
  KeepError(Error(absl::StatusCode::kFailedPrecondition, reason::kReadModelFailed,
                  absl::StrFormat("table \"%s\" was changed or scanned inside a scan of it", schema.table)));
  return nullptr;
}

bool SqliteRowStore::Get(const ReadModelSchema& schema, Bind key, Visit row) {
  TableStatements* const table = Find(schema);
  if (table == nullptr) return false;
  const sqlite::Use use(*table->get);
  key(*table->get);
  const absl::StatusOr<bool> found = table->get->Step();
  if (!found.ok()) KeepError(found.status());
  if (!found.ok() || !*found) return false;
  row(*table->get);
  return true;
}

void SqliteRowStore::Change(sqlite::Statement& statement, Bind parameters) {
  const sqlite::Use use(statement);
  parameters(statement);
  KeepError(statement.Step().status());
}

void SqliteRowStore::Upsert(const ReadModelSchema& schema, Bind row) {
  if (TableStatements* const table = FindIdle(schema)) Change(*table->upsert, row);
}

void SqliteRowStore::Remove(const ReadModelSchema& schema, Bind key) {
  if (TableStatements* const table = FindIdle(schema)) Change(*table->remove, key);
}

void SqliteRowStore::Scan(const ReadModelSchema& schema, Visit row) {
  TableStatements* const table = FindIdle(schema);
  if (table == nullptr) return;
  table->scanning = true;
  const absl::Cleanup scanned = [table] { table->scanning = false; };
  const sqlite::Use use(*table->scan);
  KeepError(VisitRows(*table->scan, row));
}

absl::Status SqliteRowStore::VisitRows(sqlite::Statement& scan, Visit row) {
  while (status_.ok()) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, scan.Step());
    if (!found) break;
    row(scan);
  }
  return absl::OkStatus();
}

}  // namespace everfold
