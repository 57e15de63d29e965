#include "everfold/query/read_pool.h"

#include <utility>

#include "everfold/base/status.h"
#include "everfold/projection/read_model_sql.h"

namespace everfold {

absl::StatusOr<std::unique_ptr<ReadConnection>> ReadConnection::Open(const std::string& path) {
  EVERFOLD_ASSIGN_OR_RETURN(auto database, sqlite::Database::Open(path, sqlite::Access::kReadOnly));
  return std::unique_ptr<ReadConnection>(new ReadConnection(std::move(database)));
}

absl::StatusOr<ReadConnection::TableStatements*> ReadConnection::StatementsOf(const ReadModelSchema& schema) {
  const auto found = tables_.find(&schema);
  if (found != tables_.end()) return &found->second;
  TableStatements table;
  EVERFOLD_ASSIGN_OR_RETURN(table.get, database_->Prepare(GetSql(schema)));
  EVERFOLD_ASSIGN_OR_RETURN(table.first_page, database_->Prepare(FirstPageSql(schema)));
  EVERFOLD_ASSIGN_OR_RETURN(table.next_page, database_->Prepare(NextPageSql(schema)));
  return &tables_.emplace(&schema, std::move(table)).first->second;
}

absl::StatusOr<bool> ReadConnection::Get(const ReadModelSchema& schema, const std::function<void(ColumnWriter&)>& key,
                                         Visit row) {
  EVERFOLD_ASSIGN_OR_RETURN(const TableStatements* const table, StatementsOf(schema));
  const sqlite::Use use(*table->get);
  key(*table->get);
  EVERFOLD_ASSIGN_OR_RETURN(const bool found, table->get->Step());
  if (found) row(*table->get);
  return found;
}

absl::StatusOr<std::optional<RowKey>> ReadConnection::List(const ReadModelSchema& schema,
                                                           const std::optional<RowKey>& after, int limit, Visit row) {
  EVERFOLD_ASSIGN_OR_RETURN(const TableStatements* const table, StatementsOf(schema));
  sqlite::Statement& page = after.has_value() ? *table->next_page : *table->first_page;
  const sqlite::Use use(page);
  if (after.has_value()) WriteKey(schema, *after, page);
  // One more than asked for tells whether there is a next page.
  page.Integer(after.has_value() ? static_cast<int>(after->size()) : 0, limit + 1);
  std::optional<RowKey> last;
  for (int rows = 0;; ++rows) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, page.Step());
    if (!found) return std::nullopt;
    if (rows == limit) return last;
    row(page);
    if (rows + 1 == limit) last = ReadKey(schema, page);
  }
}

void ReadPool::Run(Read read) {
  MutexLock lock(&mutex_);
  if (busy_ == kMaxConnections) {
    waiting_.push_back(std::move(read));
    return;
  }
  ++busy_;
  Post(std::move(read));
}

// Each posted step brings its read along, and with it whatever keeps the pool alive until the step is over.
void ReadPool::Post(Read read) {
  executor_.Post([this, read = std::move(read)]() mutable { Serve(read); });
}

void ReadPool::Serve(Read& read) {
  std::unique_ptr<ReadConnection> connection = TakeIdle();
  absl::Status opened;
  if (connection == nullptr) {
    auto fresh = ReadConnection::Open(path_);
    opened = fresh.status();
    if (fresh.ok()) connection = *std::move(fresh);
  }
  if (opened.ok()) {
    read(connection.get());
  } else {
    read(opened);
  }
  GiveBack(std::move(connection));
}

std::unique_ptr<ReadConnection> ReadPool::TakeIdle() {
  MutexLock lock(&mutex_);
  if (idle_.empty()) return nullptr;
  std::unique_ptr<ReadConnection> connection = std::move(idle_.back());
  idle_.pop_back();
  return connection;
}

void ReadPool::GiveBack(std::unique_ptr<ReadConnection> connection) {
  MutexLock lock(&mutex_);
  if (connection != nullptr) idle_.push_back(std::move(connection));
  if (waiting_.empty()) {
    --busy_;
    return;
  }
  Post(std::move(waiting_.front()));
  waiting_.pop_front();
}

}  // namespace everfold
