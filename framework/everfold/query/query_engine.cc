#include "everfold/query/query_engine.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "everfold/base/counted.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/base/unavailable.h"
#include "everfold/event/stream_id.h"
#include "everfold/query/change_hints.h"
#include "everfold/query/list_filter.h"
#include "everfold/query/list_order.h"
#include "everfold/query/page_token.h"
#include "everfold/query/read_pool.h"
#include "everfold/query/row_key.h"
#include "everfold/query/token_wait.h"
#include "everfold/runtime/task_scope.h"

namespace everfold {
namespace {

constexpr absl::Duration kOverloadRetryDelay = absl::Milliseconds(100);
constexpr int kMaxGets = 4;  // of a projection, at a time

// What queries need of a projection.
struct Served {
  Served(Projection& p, Executor& executor, Executor& readers, int max_lists)
      : projection(p), gets(p, executor, kMaxGets), lists(p, readers, max_lists), hints(p) {}
  Projection& projection;
  ReadPool gets;  // of one row: short, so that they run where they are asked
  ReadPool lists;
  ChangeHints hints;
};

absl::Status RowNotFound(const ReadModelSchema& schema, const std::string& key) {
  absl::Status status =
      Error(absl::StatusCode::kNotFound, reason::kRowNotFound,
            absl::StrFormat("there is no %s with the key %s", schema.message, key.empty() ? "\"\"" : key));
  AddResourceInfo(status, schema.message, key);
  return status;
}

absl::Status DeadlinePassed() {
  return Error(absl::StatusCode::kDeadlineExceeded, reason::kDeadlineExceeded,
               "the deadline was over before the query began");
}

absl::Status TooMany(const char* one, const char* many, std::size_t limit) {
  absl::Status status =
      Error(absl::StatusCode::kResourceExhausted, reason::kOverloaded,
            absl::StrFormat("%s under way, the limit", Counted(limit, one, many)), {{"limit", std::to_string(limit)}});
  AddRetryInfo(status, kOverloadRetryDelay);
  return status;
}

absl::Status Closed() { return Unavailable(reason::kShuttingDown, "no new queries are taken"); }

absl::StatusOr<ListQuery> ListQueryOf(const ReadModelSchema& schema, const ListOptions& list) {
  if (list.page_size < 0) {
    return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                 absl::StrFormat("page_size is %d; it must be 0 (for %d) or more", list.page_size, kDefaultPageSize));
  }
  ListQuery query;
  query.limit = std::min(list.page_size == 0 ? kDefaultPageSize : list.page_size, kMaxPageSize);
  query.max_bytes = kMaxPageBytes;
  EVERFOLD_ASSIGN_OR_RETURN(query.conditions, ParseFilter(schema, list.filter));
  EVERFOLD_ASSIGN_OR_RETURN(query.order, ParseOrder(schema, list.order_by));
  if (!list.page_token.empty()) {
    EVERFOLD_ASSIGN_OR_RETURN(query.after,
                              DecodePageToken({schema, query.order, list.filter, list.order_by}, list.page_token));
  }
  return query;
}

class ReadModelQueries final : public QueryEngine {
 public:
  ReadModelQueries(Executor& executor, const Clock& clock, const QueryEngineOptions& options)
      : executor_(executor),
        clock_(clock),
        max_queries_(options.max_queries),
        max_lists_(std::max(options.readers / 2, 1)) {
    if (options.make_readers != nullptr) own_readers_ = options.make_readers(options.readers);
  }

  absl::Status AddProjection(Projection& projection) {
    served_.push_back(std::make_unique<Served>(projection, executor_, readers(), max_lists_));
    Served& served = *served_.back();
    for (const ReadModelSchema* schema : projection.type().read_models) {
      const auto [existing, added] = sources_.emplace(schema->message, &served);
      if (added) continue;
      return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                   absl::StrFormat("read model %s belongs to two projections, %s and %s; give each its own message",
                                   schema->message, existing->second->projection.type().name, projection.type().name));
    }
    return absl::OkStatus();
  }

  void Get(const ReadModelSchema& schema, QueryOptions options, BindKey key, VisitRow row, GetDone done) override {
    Run(schema, options, Kind::kGet,
        [&schema, key = std::move(key), row = std::move(row), done = std::move(done)](auto connection) mutable {
          done(GetOn(connection, schema, key, row));
        });
  }

  void List(const ReadModelSchema& schema, QueryOptions options, ListOptions list, TakeRow take,
            ListDone done) override {
    absl::StatusOr<ListQuery> query = ListQueryOf(schema, list);
    if (!query.ok()) {
      executor_.Post([done = std::move(done), refused = query.status()]() mutable { done(std::move(refused)); });
      return;
    }
    Run(schema, options, Kind::kList,
        [&schema, list = std::move(list), query = *std::move(query), take = std::move(take),
         done = std::move(done)](auto connection) mutable { done(ListOn(connection, schema, list, query, take)); });
  }

  void Sql(SqlQuery query, QueryOptions options, SqlDone done) override {
    absl::Status refused = BeginSql(query, options, done);
    if (refused.ok()) return;
    executor_.Post([done = std::move(done), refused = std::move(refused)]() mutable { done(std::move(refused)); });
  }

  void EndSql() override { sql_ended_ = true; }

  absl::StatusOr<std::unique_ptr<ChangeWatch>> WatchChanges(const ReadModelSchema& schema, ChangeHint hint) override {
    if (scope_.closed()) return Closed();
    EVERFOLD_ASSIGN_OR_RETURN(Served* const served, Find(schema));
    std::unique_ptr<std::atomic<std::size_t>, Leave> counted(&watches_);
    if (watches_.fetch_add(1) >= kMaxWatches) return TooMany("watch is", "watches are", kMaxWatches);
    return std::make_unique<Watching>(served->hints, std::move(hint), std::move(counted));
  }

  void Close(Task done) override {
    EndSql();
    for (const auto& served : served_) served->hints.Close();
    scope_.Close([&executor = executor_, done = std::move(done)]() mutable { executor.Post(std::move(done)); });
  }

 private:
  // A query's place among those under way: it is counted, and Close waits for it, until this is gone.
  struct Leave {
    void operator()(std::atomic<std::size_t>* queries) const { queries->fetch_sub(1); }
  };
  class Watching final : public ChangeWatch {
   public:
    Watching(ChangeHints& hints, ChangeHint hint, std::unique_ptr<std::atomic<std::size_t>, Leave> counted)
        : hints_(hints), counted_(std::move(counted)), id_(hints.Add(std::move(hint))) {}
    ~Watching() override { hints_.Remove(id_); }

   private:
    ChangeHints& hints_;
    const std::unique_ptr<std::atomic<std::size_t>, Leave> counted_;
    const std::uint64_t id_;
  };
  enum class Kind { kGet, kList };
  struct Place {
    TaskScope::Guard guard;
    std::unique_ptr<std::atomic<std::size_t>, Leave> counted;
  };

  static absl::Status GetOn(const absl::StatusOr<ReadConnection*>& connection, const ReadModelSchema& schema,
                            const BindKey& key, const VisitRow& row) {
    EVERFOLD_RETURN_IF_ERROR(connection.status());
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, (*connection)->Get(schema, key, row));
    return found ? absl::OkStatus() : RowNotFound(schema, ToText(RecordKey(key)));
  }

  static absl::StatusOr<std::string> ListOn(const absl::StatusOr<ReadConnection*>& connection,
                                            const ReadModelSchema& schema, const ListOptions& list,
                                            const ListQuery& query, const TakeRow& take) {
    EVERFOLD_RETURN_IF_ERROR(connection.status());
    EVERFOLD_ASSIGN_OR_RETURN(const auto last, (*connection)->List(schema, query, take));
    if (!last.has_value()) return std::string();
    return EncodePageToken({schema, query.order, list.filter, list.order_by}, *last);
  }

  // A place, or why the query must not begin.
  absl::StatusOr<Place> Admit(absl::Time deadline) {
    std::optional<TaskScope::Guard> guard = scope_.Enter();
    if (!guard.has_value()) {
      return Closed();
    }
    const std::size_t others = queries_.fetch_add(1);
    Place place{*std::move(guard), std::unique_ptr<std::atomic<std::size_t>, Leave>(&queries_)};
    if (others >= max_queries_) return TooMany("query is", "queries are", max_queries_);
    if (clock_.Now() >= deadline) return DeadlinePassed();
    return place;
  }

  Executor& readers() { return own_readers_ != nullptr ? *own_readers_ : executor_; }

  absl::StatusOr<Served*> Find(const ReadModelSchema& schema) const {
    const auto found = sources_.find(schema.message);
    if (found != sources_.end()) return found->second;
    return Error(absl::StatusCode::kUnimplemented, reason::kUnknownType,
                 absl::StrFormat("no projection of this application has the read model %s", schema.message));
  }

  // Gives `read` a connection once the query may begin and its token is reached, or says why not.
  void Run(const ReadModelSchema& schema, const QueryOptions& options, Kind kind, ReadPool::Read read) {
    absl::Status refused = Begin(schema, options, kind, read);
    if (refused.ok()) return;
    executor_.Post([read = std::move(read), refused = std::move(refused)]() mutable { read(std::move(refused)); });
  }

  // Takes `read` unless it returns an error.
  absl::Status Begin(const ReadModelSchema& schema, const QueryOptions& options, Kind kind, ReadPool::Read& read) {
    EVERFOLD_ASSIGN_OR_RETURN(Place place, Admit(options.deadline));
    EVERFOLD_ASSIGN_OR_RETURN(Served* const served, Find(schema));
    EVERFOLD_ASSIGN_OR_RETURN(const ConsistencyToken token, ReadToken(options.consistency_token, served->projection));
    ReadPool& pool = kind == Kind::kGet ? served->gets : served->lists;
    auto keep_place = [place = std::move(place), read = std::move(read), served,
                       token](absl::StatusOr<ReadConnection*> connection) mutable {
      const absl::Status whole =
          connection.ok() ? CheckNotParked(**connection, served->projection, token) : absl::OkStatus();
      read(whole.ok() ? connection : whole);
    };
    if (token.positions.empty()) {
      ReadInTime(pool, options.deadline, kind == Kind::kGet && options.within_call, std::move(keep_place));
      return absl::OkStatus();
    }
    // The wait ends on the executor, which is where a row is read.
    WaitForPositions(served->projection, token.positions, TimeToWait(options), executor_,
                     [this, &pool, kind, deadline = options.deadline,
                      read = ReadPool::Read(std::move(keep_place))](absl::Status reached) mutable {
                       if (!reached.ok()) return read(std::move(reached));
                       ReadInTime(pool, deadline, kind == Kind::kGet, std::move(read));
                     });
    return absl::OkStatus();
  }

  absl::Duration TimeToWait(const QueryOptions& options) const {
    return std::min(options.deadline - clock_.Now(), kMaxWait);
  }

  // SQL on its way.
  struct SqlRun {
    Place place;
    Projection& projection;
    SqlQuery query;
    ConsistencyToken token;
    absl::Time deadline;
    SqlDone done;
  };

  absl::StatusOr<Projection*> FindProjection(const std::string& name) const {
    std::vector<std::string> names;
    for (const auto& served : served_) {
      if (served->projection.type().name == name) return &served->projection;
      names.push_back(served->projection.type().name);
    }
    return Error(
        absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
        absl::StrFormat("there is no projection %s; there are: %s", ShownText(name), absl::StrJoin(names, ", ")));
  }

  // Takes `query` and `done` unless it returns an error.
  absl::Status BeginSql(SqlQuery& query, const QueryOptions& options, SqlDone& done) {
    EVERFOLD_RETURN_IF_ERROR(CheckSqlQuery(query));
    if (sql_ended_) return Closed();
    EVERFOLD_ASSIGN_OR_RETURN(Place place, Admit(options.deadline));
    EVERFOLD_ASSIGN_OR_RETURN(Projection* const projection, FindProjection(query.projection));
    EVERFOLD_ASSIGN_OR_RETURN(ConsistencyToken token, ReadToken(options.consistency_token, *projection));
    std::vector<Position> positions = token.positions;
    SqlRun run{std::move(place), *projection, std::move(query), std::move(token), options.deadline, std::move(done)};
    if (positions.empty()) {
      TakeTurn(std::move(run));
      return absl::OkStatus();
    }
    WaitForPositions(*projection, std::move(positions), TimeToWait(options), executor_,
                     [this, run = std::move(run)](absl::Status reached) mutable {
                       if (!reached.ok()) return run.done(std::move(reached));
                       TakeTurn(std::move(run));
                     });
    return absl::OkStatus();
  }

  // One at a time; and none has the turn while it only waits.
  void TakeTurn(SqlRun run) {
    const bool busy = sql_queries_.fetch_add(1) > 0;
    std::unique_ptr<std::atomic<std::size_t>, Leave> turn(&sql_queries_);
    if (busy) {
      executor_.Post(
          [run = std::move(run)]() mutable { run.done(TooMany("query of SQL is", "queries of SQL are", 1)); });
      return;
    }
    readers().Post([this, turn = std::move(turn), run = std::move(run)]() mutable {
      absl::StatusOr<SqlResult> result = RunSql(run);
      turn.reset();  // before the caller is told, who may come with the next one
      run.done(std::move(result));
    });
  }

  absl::StatusOr<SqlResult> RunSql(const SqlRun& run) const {
    const absl::Time now = clock_.Now();
    if (now >= run.deadline) return DeadlinePassed();
    while (true) {
      EVERFOLD_ASSIGN_OR_RETURN(const std::string path, QueriedFile(run.projection));
      absl::StatusOr<SqlResult> result = RunSqlOn(path, run, now);
      if (!absl::IsInternal(result.status()) || !WasReplaced(run.projection, path)) return result;
    }
  }

  absl::StatusOr<SqlResult> RunSqlOn(const std::string& path, const SqlRun& run, absl::Time now) const {
    const std::vector<const ReadModelSchema*>& read_models = run.projection.type().read_models;
    if (!run.token.positions.empty()) {
      EVERFOLD_ASSIGN_OR_RETURN(const auto connection, ReadConnection::Open(path, read_models));
      EVERFOLD_RETURN_IF_ERROR(CheckNotParked(*connection, run.projection, run.token));
    }
    absl::StatusOr<SqlResult> result =
        RunSqlQuery(path, read_models, run.query, [this, deadline = std::min(run.deadline, now + kMaxSqlTime)] {
          return sql_ended_ || clock_.Now() >= deadline;
        });
    if (absl::IsDeadlineExceeded(result.status()) && sql_ended_) return Closed();
    return result;
  }

  // What the token names is settled; it may be so because it waits.
  static absl::Status CheckNotParked(ReadConnection& connection, const Projection& projection,
                                     const ConsistencyToken& token) {
    if (token.positions.empty()) return absl::OkStatus();
    EVERFOLD_ASSIGN_OR_RETURN(const bool parked, connection.HasParked(token));
    if (!parked) return absl::OkStatus();
    const std::string& name = projection.type().name;
    return Error(absl::StatusCode::kFailedPrecondition, reason::kEventParked,
                 absl::StrFormat("the event that consistency_token names could not be handled by projection %s; the "
                                 "row does not have it",
                                 name),
                 {{"projection", name}});
  }

  // The queue for a connection may outlast the deadline: work that nobody waits for any more is not done.
  void ReadInTime(ReadPool& pool, absl::Time deadline, bool at_once, ReadPool::Read read) {
    auto in_time = [this, deadline, read = std::move(read)](absl::StatusOr<ReadConnection*> connection) mutable {
      const absl::Time now = clock_.Now();
      if (now >= deadline) return read(DeadlinePassed());
      if (connection.ok()) (*connection)->SetDeadline(clock_, std::min(deadline, now + kMaxRunTime));
      read(std::move(connection));
    };
    at_once ? pool.RunAtOnce(std::move(in_time)) : pool.Run(std::move(in_time));
  }

  Executor& executor_;
  const Clock& clock_;
  const std::size_t max_queries_;
  const int max_lists_;  // of one projection, at a time
  TaskScope scope_;
  std::atomic<std::size_t> queries_ = 0;
  std::atomic<std::size_t> watches_ = 0;
  std::atomic<std::size_t> sql_queries_ = 0;
  std::atomic<bool> sql_ended_ = false;
  std::vector<std::unique_ptr<Served>> served_;
  absl::flat_hash_map<std::string, Served*> sources_;  // by the row's message
  std::unique_ptr<Executor> own_readers_;              // destroyed first: what runs on it uses the rest
};

}  // namespace

absl::StatusOr<std::unique_ptr<QueryEngine>> QueryEngine::Create(std::vector<Projection*> projections,
                                                                 Executor& executor, const Clock& clock,
                                                                 QueryEngineOptions options) {
  auto engine = std::make_unique<ReadModelQueries>(executor, clock, options);
  for (Projection* projection : projections) EVERFOLD_RETURN_IF_ERROR(engine->AddProjection(*projection));
  return engine;
}

}  // namespace everfold
