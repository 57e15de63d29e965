#include "everfold/query/read_pool.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/projection/read_model_sql.h"

namespace everfold {
namespace {

constexpr absl::Duration kRetryDelay = absl::Seconds(1);

}  // namespace

absl::StatusOr<std::unique_ptr<ReadConnection>> ReadConnection::Open(const std::string& path) {
  EVERFOLD_ASSIGN_OR_RETURN(auto database, sqlite::Database::Open(path, sqlite::Access::kReadOnly));
  return std::unique_ptr<ReadConnection>(new ReadConnection(path, std::move(database)));
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
  absl::StatusOr<std::unique_ptr<ReadConnection>> connection = Connect();
  if (connection.ok()) {
    read(connection->get());
  } else {
    read(connection.status());
  }
  GiveBack(connection.ok() ? *std::move(connection) : nullptr);
}

absl::StatusOr<std::unique_ptr<ReadConnection>> ReadPool::Connect() {
  const std::string path = projection_.path();
  if (path.empty()) {
    const std::string lag = absl::StrFormat("%d", projection_.lag_events());
    absl::Status building = Error(absl::StatusCode::kUnavailable, reason::kReadModelRebuilding,
                                  absl::StrFormat("the read models of projection %s have changed and are being built "
                                                  "anew from %s events",
                                                  projection_.type().name, lag),
                                  {{"projection", projection_.type().name}, {"lag_events", lag}});
    AddRetryInfo(building, kRetryDelay);
    return building;
  }
  if (std::unique_ptr<ReadConnection> idle = TakeIdle(path); idle != nullptr) return idle;
  return ReadConnection::Open(path);
}

// Those to another file are closed.
std::unique_ptr<ReadConnection> ReadPool::TakeIdle(const std::string& path) {
  MutexLock lock(&mutex_);
  while (!idle_.empty()) {
    std::unique_ptr<ReadConnection> connection = std::move(idle_.back());
    idle_.pop_back();
    if (connection->path() == path) return connection;
  }
  return nullptr;
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
