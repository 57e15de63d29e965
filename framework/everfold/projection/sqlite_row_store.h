// Rows in SQLite, by statements that are prepared once for each read model.
#pragma once

#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/projection/row_store.h"
#include "everfold/projection/sqlite.h"

namespace everfold {

// Threading: one thread at a time. Lifetime: not longer than its database; the schemas outlive it.
// Besides SQLite's errors there are two of the caller: INVALID_ARGUMENT for a read model that is not the projection's,
// FAILED_PRECONDITION for changing or scanning a table inside a scan of it.
class SqliteRowStore final : public RowStore {
 public:
  // The tables exist.
  static absl::StatusOr<std::unique_ptr<SqliteRowStore>> Prepare(sqlite::Database& database,
                                                                 const std::vector<const ReadModelSchema*>& schemas);

  bool Get(const ReadModelSchema& schema, Bind key, Visit row) override;
  void Upsert(const ReadModelSchema& schema, Bind row) override;
  void Remove(const ReadModelSchema& schema, Bind key) override;
  void Scan(const ReadModelSchema& schema, Visit row) override;
  absl::Status status() const override { return status_; }

  // Forgets the error of the transaction before.
  void BeginTransaction() { status_ = absl::OkStatus(); }

 private:
  struct TableStatements {
    std::unique_ptr<sqlite::Statement> get, upsert, remove, scan;
    bool scanning = false;
  };

  SqliteRowStore() = default;
  absl::Status PrepareTable(sqlite::Database& database, const ReadModelSchema& schema);
  // Null, with the status set, if the call must do nothing.
  TableStatements* Find(const ReadModelSchema& schema);
  TableStatements* FindIdle(const ReadModelSchema& schema);  // not inside a scan of it
  void Change(sqlite::Statement& statement, Bind parameters);
  absl::Status VisitRows(sqlite::Statement& scan, Visit row);
  void KeepError(absl::Status status);

  absl::flat_hash_map<const ReadModelSchema*, TableStatements> tables_;
  absl::Status status_;
};

}  // namespace everfold
