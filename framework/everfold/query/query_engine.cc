#include "everfold/query/query_engine.h"

#include <atomic>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/base/unavailable.h"
#include "everfold/query/page_token.h"
#include "everfold/query/read_pool.h"
#include "everfold/query/row_key.h"
#include "everfold/query/token_wait.h"
#include "everfold/runtime/task_scope.h"

namespace everfold {
namespace {

constexpr absl::Duration kOverloadRetryDelay = absl::Milliseconds(100);

// Where a read model's rows are.
struct Source {
  Projection* projection;
  const ReadModelSchema* schema;
  ReadPool* pool;
  Checkpoint history;  // epoch and number of partitions; never another one while the store is open
};

absl::Status RowNotFound(const ReadModelSchema& schema, const std::string& key) {
  absl::Status status = Error(absl::StatusCode::kNotFound, reason::kRowNotFound,
                              absl::StrFormat("there is no %s with the key %s", schema.message, key));
  AddResourceInfo(status, schema.message, key);
  return status;
}

absl::Status DeadlinePassed() {
  return Error(absl::StatusCode::kDeadlineExceeded, reason::kDeadlineExceeded,
               "the deadline was over before the query began");
}

absl::Status Overloaded(std::size_t max_queries) {
  absl::Status status = Error(absl::StatusCode::kResourceExhausted, reason::kOverloaded,
                              absl::StrFormat("%d queries are under way, the limit", max_queries),
                              {{"limit", std::to_string(max_queries)}});
  AddRetryInfo(status, kOverloadRetryDelay);
  return status;
}

// A list's options, understood.
struct Page {
  std::optional<RowKey> after;
  int size = 0;
};

absl::StatusOr<Page> PageOf(const ReadModelSchema& schema, const ListOptions& list) {
  if (list.page_size < 0) {
    return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                 absl::StrFormat("page_size is %d; it must be 0 (for %d) or more", list.page_size, kDefaultPageSize));
  }
  Page page{.after = std::nullopt, .size = list.page_size == 0 ? kDefaultPageSize : list.page_size};
  page.size = std::min(page.size, kMaxPageSize);
  if (!list.page_token.empty()) {
    EVERFOLD_ASSIGN_OR_RETURN(page.after, DecodePageToken(schema, list.page_token));
  }
  return page;
}

class ReadModelQueries final : public QueryEngine {
 public:
  ReadModelQueries(Executor& executor, const Clock& clock, std::size_t max_queries)
      : executor_(executor), clock_(clock), max_queries_(max_queries) {}

  absl::Status AddProjection(Projection& projection) {
    pools_.push_back(std::make_unique<ReadPool>(projection.path(), executor_));
    for (const ReadModelSchema* schema : projection.type().read_models) {
      const Source source{&projection, schema, pools_.back().get(), projection.checkpoint()};
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
    absl::StatusOr<Page> page = PageOf(schema, list);
    if (!page.ok()) {
      executor_.Post([done = std::move(done), refused = page.status()]() mutable { done(std::move(refused)); });
      return;
    }
    Run(schema, options,
        [&schema, page = *std::move(page), row = std::move(row), done = std::move(done)](auto connection) mutable {
          done(ListOn(connection, schema, page, row));
        });
  }

  void Close(Task done) override {
    scope_.Close([&executor = executor_, done = std::move(done)]() mutable { executor.Post(std::move(done)); });
  }

 private:
  // A query's place among those under way: it is counted, and Close waits for it, until this is gone.
  struct Leave {
    void operator()(std::atomic<std::size_t>* queries) const { queries->fetch_sub(1); }
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
                                            const ReadModelSchema& schema, const Page& page, const VisitRow& row) {
    EVERFOLD_RETURN_IF_ERROR(connection.status());
    EVERFOLD_ASSIGN_OR_RETURN(const auto last, (*connection)->List(schema, page.after, page.size, row));
    return last.has_value() ? EncodePageToken(schema, *last) : std::string();
  }

  // A place, or why the query must not begin.
  absl::StatusOr<Place> Admit(absl::Time deadline) {
    std::optional<TaskScope::Guard> guard = scope_.Enter();
    if (!guard.has_value()) {
      return Unavailable(reason::kShuttingDown, "no new queries are taken");
    }
    const std::size_t others = queries_.fetch_add(1);
    Place place{*std::move(guard), std::unique_ptr<std::atomic<std::size_t>, Leave>(&queries_)};
    if (others >= max_queries_) return Overloaded(max_queries_);
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
    auto keep_place = [place = std::move(place), read = std::move(read)](auto connection) mutable { read(connection); };
    if (positions.empty()) {
      ReadInTime(*source, options.deadline, std::move(keep_place));
      return absl::OkStatus();
    }
    const absl::Duration timeout = std::min(options.deadline - clock_.Now(), kMaxWait);
    WaitForPositions(*source->projection, std::move(positions), timeout, executor_,
                     [this, source, deadline = options.deadline,
                      read = ReadPool::Read(std::move(keep_place))](absl::Status reached) mutable {
                       if (!reached.ok()) return read(std::move(reached));
                       ReadInTime(*source, deadline, std::move(read));
                     });
    return absl::OkStatus();
  }

  // The queue for a connection may outlast the deadline: work that nobody waits for any more is not done.
  void ReadInTime(const Source& source, absl::Time deadline, ReadPool::Read read) {
    source.pool->Run([this, deadline, read = std::move(read)](absl::StatusOr<ReadConnection*> connection) mutable {
      read(clock_.Now() < deadline ? std::move(connection) : DeadlinePassed());
    });
  }

  Executor& executor_;
  const Clock& clock_;
  const std::size_t max_queries_;
  TaskScope scope_;
  std::atomic<std::size_t> queries_ = 0;
  std::vector<std::unique_ptr<ReadPool>> pools_;
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
