#include "everfold/query/query_engine.h"

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

// What queries need of a projection.
struct Served {
  explicit Served(Projection& p, Executor& executor) : projection(p), pool(p, executor), hints(p) {}
  Projection& projection;
  ReadPool pool;
  ChangeHints hints;
};

// Where a read model's rows are.
struct Source {
  Projection* projection;
  const ReadModelSchema* schema;
  ReadPool* pool;
  ChangeHints* hints;
  Checkpoint history;  // epoch and number of partitions; never another one while the store is open
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
  ReadModelQueries(Executor& executor, const Clock& clock, std::size_t max_queries)
      : executor_(executor), clock_(clock), max_queries_(max_queries) {}

  absl::Status AddProjection(Projection& projection) {
    served_.push_back(std::make_unique<Served>(projection, executor_));
    Served& served = *served_.back();
    for (const ReadModelSchema* schema : projection.type().read_models) {
      const Source source{&projection, schema, &served.pool, &served.hints, projection.checkpoint()};
      const auto [existing, added] = sources_.emplace(schema->message, source);
      if (added) continue;
      return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                   absl::StrFormat("read model %s belongs to two projections, %s and %s; give each its own message",
                                   schema->message, existing->second.projection->type().name, projection.type().name));
    }
    return absl::OkStatus();
  }

  void Get(const ReadModelSchema& schema, QueryOptions options, BindKey key, VisitRow row, GetDone done) override {
    Run(schema, options,
        [&schema, key = std::move(key), row = std::move(row), done = std::move(done)](auto connection) mutable {
          done(GetOn(connection, schema, key, row));
        });
  }

  void List(const ReadModelSchema& schema, QueryOptions options, ListOptions list, VisitRow row,
            ListDone done) override {
    options.within_call = false;
    absl::StatusOr<ListQuery> query = ListQueryOf(schema, list);
    if (!query.ok()) {
      executor_.Post([done = std::move(done), refused = query.status()]() mutable { done(std::move(refused)); });
      return;
    }
    Run(schema, options,
        [&schema, list = std::move(list), query = *std::move(query), row = std::move(row),
         done = std::move(done)](auto connection) mutable { done(ListOn(connection, schema, list, query, row)); });
  }

  void Sql(SqlQuery query, QueryOptions options, SqlDone done) override {
    absl::Status refused = BeginSql(query, options, done);
    if (refused.ok()) return;
    executor_.Post([done = std::move(done), refused = std::move(refused)]() mutable { done(std::move(refused)); });
  }

  absl::StatusOr<std::unique_ptr<ChangeWatch>> WatchChanges(const ReadModelSchema& schema, ChangeHint hint) override {
    if (scope_.closed()) return Closed();
    EVERFOLD_ASSIGN_OR_RETURN(const Source* const source, Find(schema));
    std::unique_ptr<std::atomic<std::size_t>, Leave> counted(&watches_);
    if (watches_.fetch_add(1) >= kMaxWatches) return TooMany("watch is", "watches are", kMaxWatches);
    return std::make_unique<Watching>(*source->hints, std::move(hint), std::move(counted));
  }

  void Close(Task done) override {
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
                                            const ListQuery& query, const VisitRow& row) {
    EVERFOLD_RETURN_IF_ERROR(connection.status());
    EVERFOLD_ASSIGN_OR_RETURN(const auto last, (*connection)->List(schema, query, row));
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

  absl::StatusOr<const Source*> Find(const ReadModelSchema& schema) const {
    const auto found = sources_.find(schema.message);
    if (found != sources_.end()) return &found->second;
    return Error(absl::StatusCode::kUnimplemented, reason::kUnknownType,
                 absl::StrFormat("no projection of this application has the read model %s", schema.message));
  }

  // Gives `read` a connection once the query may begin and its token is reached, or says why not.
  void Run(const ReadModelSchema& schema, const QueryOptions& options, ReadPool::Read read) {
    absl::Status refused = Begin(schema, options, read);
    if (refused.ok()) return;
    executor_.Post([read = std::move(read), refused = std::move(refused)]() mutable { read(std::move(refused)); });
  }

  // Takes `read` unless it returns an error.
  absl::Status Begin(const ReadModelSchema& schema, const QueryOptions& options, ReadPool::Read& read) {
    EVERFOLD_ASSIGN_OR_RETURN(Place place, Admit(options.deadline));
    EVERFOLD_ASSIGN_OR_RETURN(const Source* const source, Find(schema));
    EVERFOLD_ASSIGN_OR_RETURN(auto positions, PositionsOf(options.consistency_token, source->history));
    auto keep_place = [place = std::move(place), read = std::move(read), source,
                       positions](absl::StatusOr<ReadConnection*> connection) mutable {
      const absl::Status whole = connection.ok() ? CheckNotParked(**connection, *source, positions) : absl::OkStatus();
      read(whole.ok() ? connection : whole);
    };
    if (positions.empty()) {
      ReadInTime(*source, options.deadline, options.within_call, std::move(keep_place));
      return absl::OkStatus();
    }
    const absl::Duration timeout = std::min(options.deadline - clock_.Now(), kMaxWait);
    WaitForPositions(*source->projection, std::move(positions), timeout, executor_,
                     [this, source, deadline = options.deadline,
                      read = ReadPool::Read(std::move(keep_place))](absl::Status reached) mutable {
                       if (!reached.ok()) return read(std::move(reached));
                       ReadInTime(*source, deadline, /*at_once=*/false, std::move(read));
                     });
    return absl::OkStatus();
  }

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
    EVERFOLD_ASSIGN_OR_RETURN(Place place, Admit(options.deadline));
    EVERFOLD_ASSIGN_OR_RETURN(Projection* const projection, FindProjection(query.projection));
    EVERFOLD_ASSIGN_OR_RETURN(auto positions, PositionsOf(options.consistency_token, projection->checkpoint()));
    const bool busy = sql_queries_.fetch_add(1) > 0;
    std::unique_ptr<std::atomic<std::size_t>, Leave> turn(&sql_queries_);
    if (busy) return TooMany("query of SQL is", "queries of SQL are", 1);
    auto run = [this, projection, deadline = options.deadline, place = std::move(place), turn = std::move(turn),
                query = std::move(query), done = std::move(done)](const absl::Status& reached) mutable {
      absl::StatusOr<SqlResult> result =
          reached.ok() ? RunSql(*projection, query, std::min(deadline, clock_.Now() + kMaxSqlTime))
                       : absl::StatusOr<SqlResult>(reached);
      turn.reset();  // before the caller is told, who may come with the next one
      done(std::move(result));
    };
    if (positions.empty()) {
      executor_.Post([run = std::move(run)]() mutable { run(absl::OkStatus()); });
    } else {
      const absl::Duration timeout = std::min(options.deadline - clock_.Now(), kMaxWait);
      WaitForPositions(*projection, std::move(positions), timeout, executor_, std::move(run));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<SqlResult> RunSql(const Projection& projection, const SqlQuery& query, absl::Time deadline) const {
    EVERFOLD_ASSIGN_OR_RETURN(const std::string path, QueriedFile(projection));
    return RunSqlQuery(path, projection.type().read_models, query, clock_, deadline);
  }

  // What the token names is settled; it may be so because it waits.
  static absl::Status CheckNotParked(ReadConnection& connection, const Source& source,
                                     const std::vector<Position>& positions) {
    for (const Position& position : positions) {
      EVERFOLD_ASSIGN_OR_RETURN(const bool parked, connection.IsParked(position));
      if (!parked) continue;
      const std::string& projection = source.projection->type().name;
      return Error(absl::StatusCode::kFailedPrecondition, reason::kEventParked,
                   absl::StrFormat("the event that consistency_token names could not be handled by projection %s; the "
                                   "row does not have it",
                                   projection),
                   {{"projection", projection}});
    }
    return absl::OkStatus();
  }

  // The queue for a connection may outlast the deadline: work that nobody waits for any more is not done.
  void ReadInTime(const Source& source, absl::Time deadline, bool at_once, ReadPool::Read read) {
    auto in_time = [this, deadline, read = std::move(read)](absl::StatusOr<ReadConnection*> connection) mutable {
      const absl::Time now = clock_.Now();
      if (now >= deadline) return read(DeadlinePassed());
      if (connection.ok()) (*connection)->SetDeadline(clock_, std::min(deadline, now + kMaxRunTime));
      read(std::move(connection));
    };
    at_once ? source.pool->RunAtOnce(std::move(in_time)) : source.pool->Run(std::move(in_time));
  }

  Executor& executor_;
  const Clock& clock_;
  const std::size_t max_queries_;
  TaskScope scope_;
  std::atomic<std::size_t> queries_ = 0;
  std::atomic<std::size_t> watches_ = 0;
  std::atomic<std::size_t> sql_queries_ = 0;
  std::vector<std::unique_ptr<Served>> served_;
  absl::flat_hash_map<std::string, Source> sources_;  // by the row's message
};

}  // namespace

absl::StatusOr<std::unique_ptr<QueryEngine>> QueryEngine::Create(std::vector<Projection*> projections,
                                                                 Executor& executor, const Clock& clock,
                                                                 std::size_t max_queries) {
  auto engine = std::make_unique<ReadModelQueries>(executor, clock, max_queries);
  for (Projection* projection : projections) EVERFOLD_RETURN_IF_ERROR(engine->AddProjection(*projection));
  return engine;
}

}  // namespace everfold
