// Rows in SQLite, by statements that are prepared once for each read model.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/projection/row_cache.h"
#include "everfold/projection/row_store.h"
#include "everfold/projection/sqlite.h"

namespace everfold {

// Threading: one thread at a time. Lifetime: not longer than its database; the schemas outlive it.
// Besides SQLite's errors there are some of the caller: INVALID_ARGUMENT for a read model that is not the projection's,
// FAILED_PRECONDITION for changing or scanning a table inside a scan of it, and for changing one inside of Execute's or
// Select's visits. SQL that is none, or does more than a handler's may, is INVALID_ARGUMENT.
class SqliteRowStore final : public RowStore {
 public:
  // The tables exist.
  static absl::StatusOr<std::unique_ptr<SqliteRowStore>> Prepare(sqlite::Database& database,
                                                                 const std::vector<const ReadModelSchema*>& schemas);

  bool Get(const ReadModelSchema& schema, Bind key, Visit row) override;
  bool IsEmpty(const ReadModelSchema& schema) override;
  void Upsert(const ReadModelSchema& schema, Bind row) override;
  void UpsertAll(const ReadModelSchema& schema, std::size_t rows, BindRow row) override;
  void Remove(const ReadModelSchema& schema, Bind key) override;
  void Scan(const ReadModelSchema& schema, Visit row) override;
  void Select(const ReadModelSchema& schema, std::string_view condition, Bind parameters, Visit row) override;
  void Execute(std::string_view sql, Bind parameters, Visit row) override;
  absl::Status status() const override { return status_; }
  RowCache* cache() override { return caching_ ? &cache_ : nullptr; }
  bool MayChange(const ReadModelSchema& schema) override { return FindIdle(schema) != nullptr; }

  // Off at first. What is in the cache is written before it is turned off, and then forgotten.
  void SetCaching(bool caching);
  // Writes what has changed in the cache.
  void Flush() { cache_.Flush(*this); }
  const RowCache& cached() const { return cache_; }
  // After a transaction that was taken back, or for want of room.
  void ForgetCached() { cache_.Forget(); }

  // Called once, before the next Select or Execute; its error is that of the rows. Null: nothing is.
  void BeforeSql(std::function<absl::Status()> prepare) { before_sql_ = std::move(prepare); }

  // Forgets the error of the transaction before.
  void BeginTransaction() { status_ = absl::OkStatus(); }

 private:
  struct TableStatements {
    std::unique_ptr<sqlite::Statement> get, any, upsert, upsert_many, remove, scan;
    bool scanning = false;
  };

  explicit SqliteRowStore(sqlite::Database& database) : database_(database) {}
  absl::Status PrepareTable(sqlite::Database& database, const ReadModelSchema& schema);
  // Null, with the status set, if the call must do nothing.
  TableStatements* Find(const ReadModelSchema& schema);
  TableStatements* FindIdle(const ReadModelSchema& schema);  // not inside a scan of it
  void Change(sqlite::Statement& statement, Bind parameters);
  absl::Status VisitRows(sqlite::Statement& scan, Visit row);
  void KeepError(absl::Status status);
  void PrepareForSql();
  absl::Status Run(std::string_view sql, Bind parameters, Visit row);
  absl::StatusOr<std::unique_ptr<sqlite::Statement>> Take(std::string_view sql);
  bool IsVisited() const;  // by a scan, or a statement of a handler

  sqlite::Database& database_;
  absl::flat_hash_map<const ReadModelSchema*, TableStatements> tables_;
  // Of handlers, by their text: as many as their code has. One that runs is not in here.
  absl::flat_hash_map<std::string, std::unique_ptr<sqlite::Statement>> statements_;
  int visits_ = 0;  // of statements of handlers
  std::function<absl::Status()> before_sql_;
  RowCache cache_;
  bool caching_ = false;
  absl::Status status_;
};

}  // namespace everfold
