#include "everfold/projection/sqlite_row_store.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_format.h"
#include "everfold/base/counted.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/utf8.h"
#include "everfold/projection/read_model_sql.h"

namespace everfold {

namespace {

// SQLite takes half as long for a row where a statement has several. It has no more than 32,766 parameters by default.
std::size_t RowsAStatement(const ReadModelSchema& schema) {
  constexpr std::size_t kMostRows = 16;
  constexpr std::size_t kMostParameters = 1'000;
  return std::clamp<std::size_t>(kMostParameters / schema.columns.size(), 1, kMostRows);
}

// Passes a handler's parameters on, and knows how many there were: SQLite takes one that is missing for NULL.
class ParameterCounter final : public ColumnWriter {
 public:
  explicit ParameterCounter(sqlite::Statement& statement) : statement_(statement) {}

  void Integer(int index, std::int64_t value) override { To(index).Integer(index, value); }
  void Real(int index, double value) override { To(index).Real(index, value); }
  void Text(int index, std::string_view value) override { To(index).Text(index, value); }
  void Blob(int index, std::string_view value) override { To(index).Blob(index, value); }
  void Null(int index) override { To(index).Null(index); }
  void CannotWrite(int index, std::string_view why) override { To(index).CannotWrite(index, why); }

  absl::Status Check() const {
    if (given_ == statement_.parameters()) return statement_.status();
    return Error(
        absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
        absl::StrFormat("SQL: %s for %s", Counted(static_cast<std::uint64_t>(statement_.parameters()), "parameter"),
                        Counted(static_cast<std::uint64_t>(given_), "value")));
  }

 private:
  ColumnWriter& To(int index) {
    given_ = std::max(given_, index + 1);
    return statement_;
  }

  sqlite::Statement& statement_;
  int given_ = 0;
};

// Values of a row. Columns of text hold UTF-8, and nothing else.
class RowWriter final : public ColumnWriter {
 public:
  // The row's first value is the parameter `first` of the statement.
  explicit RowWriter(sqlite::Statement& statement, int first = 0) : statement_(statement), first_(first) {}

  void Integer(int index, std::int64_t value) override { statement_.Integer(first_ + index, value); }
  void Real(int index, double value) override {
    // What is refused is told by its place in the row.
    statement_.Real(std::isnan(value) ? index : first_ + index, value);
  }
  void Text(int index, std::string_view value) override {
    if (!IsUtf8(value)) return CannotWrite(index, "is a text that is not UTF-8");
    statement_.Text(first_ + index, value);
  }
  void Blob(int index, std::string_view value) override { statement_.Blob(first_ + index, value); }
  void Null(int index) override { statement_.Null(first_ + index); }
  void CannotWrite(int index, std::string_view why) override { statement_.CannotWrite(index, why); }

 private:
  sqlite::Statement& statement_;
  const int first_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteRowStore>> SqliteRowStore::Prepare(
    sqlite::Database& database, const std::vector<const ReadModelSchema*>& schemas) {
  std::unique_ptr<SqliteRowStore> rows(new SqliteRowStore(database));
  for (const ReadModelSchema* schema : schemas) EVERFOLD_RETURN_IF_ERROR(rows->PrepareTable(database, *schema));
  return rows;
}

absl::Status SqliteRowStore::PrepareTable(sqlite::Database& database, const ReadModelSchema& schema) {
  TableStatements table;
  EVERFOLD_ASSIGN_OR_RETURN(table.get, database.Prepare(GetSql(schema)));
  EVERFOLD_ASSIGN_OR_RETURN(table.any, database.Prepare(AnyRowSql(schema)));
  EVERFOLD_ASSIGN_OR_RETURN(table.upsert, database.Prepare(UpsertSql(schema)));
  EVERFOLD_ASSIGN_OR_RETURN(table.upsert_many, database.Prepare(UpsertSql(schema, RowsAStatement(schema))));
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
  if (table == nullptr || (!table->scanning && visits_ == 0)) return table;
  KeepError(Error(absl::StatusCode::kFailedPrecondition, reason::kReadModelFailed,
                  absl::StrFormat("table \"%s\" was changed or scanned inside %s", schema.table,
                                  table->scanning ? "a scan of it" : "a query")));
  return nullptr;
}

bool SqliteRowStore::Get(const ReadModelSchema& schema, Bind key, Visit row) {
  TableStatements* const table = Find(schema);
  if (table == nullptr) return false;
  const sqlite::Use use(*table->get);
  RowWriter writer(*table->get);
  key(writer);
  const absl::StatusOr<bool> found = table->get->Step();
  if (!found.ok()) KeepError(found.status());
  if (!found.ok() || !*found) return false;
  row(*table->get);
  KeepError(table->get->status());
  return table->get->status().ok();
}

bool SqliteRowStore::IsEmpty(const ReadModelSchema& schema) {
  TableStatements* const table = Find(schema);
  if (table == nullptr) return false;
  const sqlite::Use use(*table->any);
  const absl::StatusOr<bool> found = table->any->Step();
  if (!found.ok()) KeepError(found.status());
  return found.ok() && !*found;
}

void SqliteRowStore::Change(sqlite::Statement& statement, Bind parameters) {
  const sqlite::Use use(statement);
  RowWriter writer(statement);
  parameters(writer);
  KeepError(statement.Step().status());
}

void SqliteRowStore::Upsert(const ReadModelSchema& schema, Bind row) {
  if (TableStatements* const table = FindIdle(schema)) Change(*table->upsert, row);
}

void SqliteRowStore::UpsertAll(const ReadModelSchema& schema, std::size_t rows, BindRow row) {
  const std::size_t many = RowsAStatement(schema);
  for (std::size_t done = 0; done < rows;) {
    TableStatements* const table = FindIdle(schema);
    if (table == nullptr) return;
    const bool takes_many = rows - done >= many;
    sqlite::Statement& statement = takes_many ? *table->upsert_many : *table->upsert;
    const sqlite::Use use(statement);
    const std::size_t end = done + (takes_many ? many : 1);
    for (int first = 0; done < end; ++done, first += static_cast<int>(schema.columns.size())) {
      RowWriter writer(statement, first);
      row(done, writer);
    }
    KeepError(statement.Step().status());
  }
}

void SqliteRowStore::Remove(const ReadModelSchema& schema, Bind key) {
  if (TableStatements* const table = FindIdle(schema)) Change(*table->remove, key);
}

void SqliteRowStore::SetCaching(bool caching) {
  if (!caching) {
    Flush();
    cache_.Forget();
  }
  caching_ = caching;
}

void SqliteRowStore::Scan(const ReadModelSchema& schema, Visit row) {
  Flush();
  TableStatements* const table = FindIdle(schema);
  if (table == nullptr) return;
  table->scanning = true;
  const absl::Cleanup scanned = [table] { table->scanning = false; };
  const sqlite::Use use(*table->scan);
  KeepError(VisitRows(*table->scan, row));
}

void SqliteRowStore::PrepareForSql() {
  Flush();
  if (before_sql_ != nullptr && status_.ok()) KeepError(std::exchange(before_sql_, nullptr)());
}

void SqliteRowStore::Select(const ReadModelSchema& schema, std::string_view condition, Bind parameters, Visit row) {
  PrepareForSql();
  if (Find(schema) != nullptr) KeepError(Run(SelectWhereSql(schema, condition), parameters, row));
}

void SqliteRowStore::Execute(std::string_view sql, Bind parameters, Visit row) {
  PrepareForSql();
  if (status_.ok()) KeepError(Run(sql, parameters, row));
}

absl::StatusOr<std::unique_ptr<sqlite::Statement>> SqliteRowStore::Take(std::string_view sql) {
  const auto found = statements_.find(std::string(sql));
  if (found == statements_.end()) return database_.Prepare(std::string(sql), sqlite::Permit::kRows);
  std::unique_ptr<sqlite::Statement> statement = std::move(found->second);
  statements_.erase(found);
  return statement;
}

bool SqliteRowStore::IsVisited() const {
  return visits_ > 0 ||
         std::any_of(tables_.begin(), tables_.end(), [](const auto& table) { return table.second.scanning; });
}

absl::Status SqliteRowStore::Run(std::string_view sql, Bind parameters, Visit row) {
  EVERFOLD_ASSIGN_OR_RETURN(std::unique_ptr<sqlite::Statement> statement, Take(sql));
  if (!statement->read_only() && IsVisited()) {
    return Error(absl::StatusCode::kFailedPrecondition, reason::kReadModelFailed,
                 absl::StrFormat("rows were changed while others are visited: %s", std::string(sql)));
  }
  // It may change rows that are in there, and those that its visit sees are the new ones.
  if (!statement->read_only()) cache_.Forget();
  absl::Status status;
  {
    const sqlite::Use use(*statement);
    ParameterCounter counter(*statement);
    parameters(counter);
    ++visits_;
    const absl::Cleanup visited = [this] { --visits_; };
    status = counter.Check();
    if (status.ok()) status = VisitRows(*statement, row);
  }
  statements_.insert_or_assign(std::string(sql), std::move(statement));
  return status;
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
