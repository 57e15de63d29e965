#include "everfold/query/read_pool.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/counted.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/projection/read_model_sql.h"
#include "everfold/projection/table_description.h"
#include "everfold/store/append.h"

namespace everfold {
namespace {

constexpr absl::Duration kRetryDelay = absl::Seconds(1);
std::vector<ColumnValue> ValuesOf(const ReadModelSchema& schema, const std::vector<OrderTerm>& order,
                                  const ColumnReader& row) {
  std::vector<ColumnValue> values;
  for (const OrderTerm& term : order) values.push_back(ReadValue(schema, term.column, row));
  return values;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ReadConnection>> ReadConnection::Open(
    const std::string& path, const std::vector<const ReadModelSchema*>& read_models) {
  EVERFOLD_ASSIGN_OR_RETURN(auto database, sqlite::Database::Open(path, sqlite::Access::kReadOnly));
  EVERFOLD_RETURN_IF_ERROR(ShowAsOf(read_models, *database));
  EVERFOLD_ASSIGN_OR_RETURN(auto begin, database->Prepare("BEGIN"));
  EVERFOLD_ASSIGN_OR_RETURN(auto roll_back, database->Prepare("ROLLBACK"));
  return std::unique_ptr<ReadConnection>(
      new ReadConnection(path, std::move(database), std::move(begin), std::move(roll_back)));
}

void ReadConnection::SetDeadline(const Clock& clock, absl::Time deadline) {
  database_->InterruptWhen([&clock, deadline] { return clock.Now() >= deadline; });
}

void ReadConnection::KeepSnapshot(std::optional<std::uint64_t> commits) {
  if (as_of_.has_value() && as_of_ == commits) return;
  GiveUpSnapshot();
  if (!commits.has_value()) return;
  // It begins with the next read. Without it each read has one of its own.
  const sqlite::Use use(*begin_);
  if (begin_->Step().ok()) as_of_ = commits;
}

bool ReadConnection::EndReads(std::optional<std::uint64_t> commits) {
  database_->InterruptWhen(nullptr);
  if (!as_of_.has_value() || as_of_ != commits) GiveUpSnapshot();
  return as_of_.has_value() == database_->in_transaction();
}

// Nothing was written; an error may have ended it already. It is no read, and not to be interrupted as one.
void ReadConnection::GiveUpSnapshot() {
  as_of_.reset();
  if (!database_->in_transaction()) return;
  database_->InterruptWhen(nullptr);
  const sqlite::Use use(*roll_back_);
  roll_back_->Step().IgnoreError();  // EndReads tells
}

absl::StatusOr<bool> ReadConnection::Get(const ReadModelSchema& schema, const std::function<void(ColumnWriter&)>& key,
                                         Visit row) {
  return Heed(ReadRow(schema, key, row));
}

absl::StatusOr<bool> ReadConnection::HasParked(const ConsistencyToken& token) { return Heed(FindParked(token)); }

absl::StatusOr<std::optional<std::vector<ColumnValue>>> ReadConnection::List(const ReadModelSchema& schema,
                                                                             const ListQuery& query, Take take) {
  return Heed(ReadPage(schema, query, take));
}

absl::StatusOr<sqlite::Statement*> ReadConnection::StatementOf(const std::string& sql) {
  const auto found = statements_.find(sql);
  if (found != statements_.end()) return found->second.get();
  if (statements_.size() == kMaxStatements) statements_.clear();
  EVERFOLD_ASSIGN_OR_RETURN(auto statement, database_->Prepare(sql));
  return statements_.emplace(sql, std::move(statement)).first->second.get();
}

// The events of a commit stand next to each other in a partition, and are no more than a commit may have.
absl::StatusOr<bool> ReadConnection::FindParked(const ConsistencyToken& token) {
  const bool names_write = token.sequence > Sequence();
  EVERFOLD_ASSIGN_OR_RETURN(
      sqlite::Statement* const find,
      StatementOf(
          "SELECT 1 FROM everfold_parked_event WHERE \"partition\" = ? AND \"offset\" > ? AND \"offset\" <= ? AND"
          " ? IN (0, sequence)"));
  for (const Position& position : token.positions) {
    const auto last = static_cast<std::int64_t>(position.offset.value());
    const sqlite::Use use(*find);
    find->Integer(0, position.partition.value());
    find->Integer(1, last - (names_write ? static_cast<std::int64_t>(kMaxEventsPerCommit) : 1));
    find->Integer(2, last);
    find->Integer(3, static_cast<std::int64_t>(token.sequence.value()));
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, find->Step());
    if (found) return true;
  }
  return false;
}

absl::StatusOr<bool> ReadConnection::ReadRow(const ReadModelSchema& schema,
                                             const std::function<void(ColumnWriter&)>& key, Visit row) {
  std::unique_ptr<sqlite::Statement>& get = gets_[&schema];
  if (get == nullptr) {
    EVERFOLD_ASSIGN_OR_RETURN(get, database_->Prepare(GetSql(schema)));
  }
  const sqlite::Use use(*get);
  key(*get);
  EVERFOLD_ASSIGN_OR_RETURN(const bool found, get->Step());
  if (found) row(*get);
  EVERFOLD_RETURN_IF_ERROR(get->status());
  return found;
}

absl::StatusOr<std::optional<std::vector<ColumnValue>>> ReadConnection::ReadPage(const ReadModelSchema& schema,
                                                                                 const ListQuery& query, Take take) {
  const ListSql sql = ListSqlOf(schema, query);
  EVERFOLD_ASSIGN_OR_RETURN(sqlite::Statement* const page, StatementOf(sql.text));
  const sqlite::Use use(*page);
  for (std::size_t i = 0; i < sql.parameters.size(); ++i) {
    WriteValue(sql.parameters[i].first, sql.parameters[i].second, static_cast<int>(i), *page);
  }
  std::vector<ColumnValue> last;
  std::size_t left = query.max_bytes;
  for (int rows = 0;; ++rows) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, page->Step());
    if (!found) return std::nullopt;
    if (rows == query.limit) return last;
    const std::size_t room = rows == 0 ? std::numeric_limits<std::size_t>::max() : left;
    const std::size_t bytes = take(*page, room);
    EVERFOLD_RETURN_IF_ERROR(page->status());
    if (bytes > room) return last;
    last = ValuesOf(schema, query.order, *page);
    left -= std::min(bytes, left);
  }
}

ReadPool::ReadPool(const Projection& projection, Executor& executor, int max_connections)
    : projection_(projection),
      snapshots_(projection.snapshots()),
      executor_(executor),
      max_connections_(max_connections),
      keeper_(snapshots_, [this] { GiveUpSnapshots(); }) {}

void ReadPool::GiveUpSnapshots() {
  MutexLock lock(&mutex_);
  std::erase_if(idle_, [](const auto& connection) { return !connection->EndReads(std::nullopt); });
}

void ReadPool::Run(Read read) {
  MutexLock lock(&mutex_);
  if (busy_ == max_connections_) {
    waiting_.push_back(std::move(read));
    return;
  }
  ++busy_;
  Post(std::move(read));
}

void ReadPool::RunAtOnce(Read read) {
  const std::string path = projection_.path();
  std::unique_ptr<ReadConnection> connection;
  {
    MutexLock lock(&mutex_);
    CloseStale(path);
    if (busy_ < max_connections_) connection = FindIdle();
    if (connection != nullptr) ++busy_;
  }
  if (connection == nullptr) return Run(std::move(read));
  connection->KeepSnapshot(snapshots_->Quiet());
  read(connection.get());
  GiveBack(std::move(connection));
}

// Each posted step brings its read along, and with it whatever keeps the pool alive until the step is over.
void ReadPool::Post(Read read) {
  executor_.Post([this, read = std::move(read)]() mutable { Serve(read); });
}

void ReadPool::Serve(Read& read) {
  absl::StatusOr<std::unique_ptr<ReadConnection>> connection = Connect();
  if (connection.ok()) {
    (*connection)->KeepSnapshot(snapshots_->Quiet());
    read(connection->get());
  } else {
    read(connection.status());
  }
  GiveBack(connection.ok() ? *std::move(connection) : nullptr);
}

absl::StatusOr<std::string> QueriedFile(const Projection& projection) {
  std::string path = projection.path();
  if (!path.empty()) return path;
  const std::string lag = absl::StrFormat("%d", projection.lag_events());
  const std::string why = projection.Describe().built_anew_because;
  absl::Status building =
      Error(absl::StatusCode::kUnavailable, reason::kReadModelRebuilding,
            absl::StrFormat("projection %s is being built anew, %s behind%s", projection.type().name,
                            Counted(projection.lag_events(), "event"), why.empty() ? "" : ", because " + why),
            {{"projection", projection.type().name}, {"lag_events", lag}});
  AddRetryInfo(building, kRetryDelay);
  return building;
}

bool WasReplaced(const Projection& projection, const std::string& path) { return projection.path() != path; }

absl::StatusOr<std::unique_ptr<ReadConnection>> ReadPool::Connect() {
  while (true) {
    EVERFOLD_ASSIGN_OR_RETURN(const std::string path, QueriedFile(projection_));
    if (std::unique_ptr<ReadConnection> idle = TakeIdle(path); idle != nullptr) return idle;
    auto opened = ReadConnection::Open(path, projection_.type().read_models);
    if (opened.ok() || !WasReplaced(projection_, path)) return opened;
  }
}

std::unique_ptr<ReadConnection> ReadPool::TakeIdle(const std::string& path) {
  MutexLock lock(&mutex_);
  CloseStale(path);
  return FindIdle();
}

std::unique_ptr<ReadConnection> ReadPool::FindIdle() {
  if (idle_.empty()) return nullptr;
  std::unique_ptr<ReadConnection> connection = std::move(idle_.back());
  idle_.pop_back();
  return connection;
}

void ReadPool::CloseStale(const std::string& path) {
  std::erase_if(idle_, [&path](const auto& connection) { return connection->path() != path; });
}

void ReadPool::GiveBack(std::unique_ptr<ReadConnection> connection) {
  const std::string path = projection_.path();
  MutexLock lock(&mutex_);
  if (connection != nullptr && connection->EndReads(snapshots_->Quiet())) idle_.push_back(std::move(connection));
  CloseStale(path);
  if (waiting_.empty()) {
    --busy_;
    return;
  }
  Post(std::move(waiting_.front()));
  waiting_.pop_front();
}

}  // namespace everfold
