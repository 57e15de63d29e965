// Queries of read models: one row by its key, or rows in the order of the key, page by page; from a state that includes
// the caller's own writes when it hands over the consistency token of their receipt.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/event/consistency_token.h"
#include "everfold/projection/projection.h"
#include "everfold/projection/read_model.h"
#include "everfold/query/sql_query.h"
#include "everfold/runtime/executor.h"

namespace everfold {

inline constexpr int kDefaultPageSize = 100;
inline constexpr int kMaxPageSize = 1000;
// The rows of a page come to no more than this as messages, so that it fits into a gRPC message of the usual 4 MiB. A
// row that is larger by itself is a page of its own.
inline constexpr std::size_t kMaxPageBytes = 3 << 20;

// What every query may carry.
struct QueryOptions {
  std::string consistency_token = {};            // of a receipt; empty: answer from what is there
  absl::Time deadline = absl::InfiniteFuture();  // by the engine's clock
  // The answer may come within the call, on its thread, which then reads the file: where there is nothing to wait for,
  // that spares the way to another thread and back. Of Get only.
  bool within_call = false;
};

struct ListOptions {
  int page_size = 0;            // 0: kDefaultPageSize; above kMaxPageSize: kMaxPageSize (AIP-158); negative is refused
  std::string page_token = {};  // opaque, of the page before
  std::string filter = {};      // ParseFilter; empty: all rows
  std::string order_by = {};    // ParseOrder; empty: in the order of the key
};

struct QueryEngineOptions {
  std::size_t max_queries = 10'000;  // at a time, waiting ones included; further ones are refused
  // Lists and SQL may take long, and so have threads of their own, this many for all projections together: the executor
  // is left to commands, and to reads of one row. One projection has half of them at most.
  int readers = 4;
  // Makes an executor with so many threads. nullptr: they run on the engine's executor, as in tests, where it is one
  // that a seed decides about.
  std::function<std::unique_ptr<Executor>(int threads)> make_readers = nullptr;
};

// Threading: thread-safe. Lifetime: executor, clock, projections and schemas outlive it. Close it before the
// projections; it is not destroyed on a thread of its readers.
class QueryEngine {
 public:
  using BindKey = std::function<void(ColumnWriter&)>;
  using VisitRow = std::function<void(const ColumnReader&)>;
  // Takes a row if there is room for it, in bytes; returns the bytes that it takes, more than `room` if it does not.
  using TakeRow = std::function<std::size_t(const ColumnReader& row, std::size_t room)>;
  using GetDone = absl::AnyInvocable<void(absl::Status)>;
  using ListDone = absl::AnyInvocable<void(absl::StatusOr<std::string> next_page_token)>;
  using SqlDone = absl::AnyInvocable<void(absl::StatusOr<SqlResult>)>;
  // Ends when it is destroyed, before the engine is.
  class ChangeWatch {
   public:
    virtual ~ChangeWatch() = default;
  };
  // OK: rows may have changed. Anything else is the last hint: UNAVAILABLE, because the projection has stopped or
  // closes.
  using ChangeHint = std::function<void(const absl::Status&)>;

  // A query that waits for a token longer than this is answered UNAVAILABLE even if its deadline is later.
  static constexpr absl::Duration kMaxWait = absl::Seconds(10);

  // SQL of callers runs one at a time, and no longer than this (sql_query.h says what may come on top).
  static constexpr absl::Duration kMaxSqlTime = absl::Seconds(5);

  // SQLite ends a query that runs longer than this even if its deadline is later.
  static constexpr absl::Duration kMaxRunTime = absl::Seconds(30);

  // More watches than this at a time, of all read models together, are refused.
  static constexpr std::size_t kMaxWatches = 1000;

  // INVALID_ARGUMENT if two projections have the same read model: a query would not know which to ask.
  static absl::StatusOr<std::unique_ptr<QueryEngine>> Create(std::vector<Projection*> projections, Executor& executor,
                                                             const Clock& clock, QueryEngineOptions options = {});
  virtual ~QueryEngine() = default;

  // Calls `row` once, then `done`, both on the executor unless the options say otherwise; List and Sql call back on a
  // thread of the readers, or on the executor where nothing was read. NOT_FOUND (ROW_NOT_FOUND, ResourceInfo) without
  // calling `row` if there is no such row. A query without a token, or with one that is reached, is answered even if
  // the projection has stopped. Errors of both calls:
  //   INVALID_ARGUMENT     a consistency token or page token that is none, a negative page size; a filter or an order
  //                        that is none, or another one than the page token's
  //   UNIMPLEMENTED        no projection has this read model
  //   FAILED_PRECONDITION  a token of another history (OTHER_HISTORY), or of a write that the projection could not
  //                        handle, or not wholly (EVENT_PARKED)
  //   OUT_OF_RANGE         a token of events that the log does not have (BEYOND_HEAD)
  //   DEADLINE_EXCEEDED    the deadline was over before the query began, or while it ran (DEADLINE_EXCEEDED)
  //   RESOURCE_EXHAUSTED   too many queries at a time (OVERLOADED, with RetryInfo)
  //   UNAVAILABLE          the read model did not reach the token in time (READ_MODEL_BEHIND, with the lag in events
  //                        and RetryInfo); its projection has stopped (READ_MODEL_STOPPED) or is paused
  //                        (READ_MODEL_PAUSED); the engine is closed (SHUTTING_DOWN)
  virtual void Get(const ReadModelSchema& schema, QueryOptions options, BindKey key, VisitRow row, GetDone done) = 0;
  // Calls `take` for each row of the page, then `done` with the token of the next page, empty at the end. A page begins
  // behind the last row of the page before, in the order that was asked for, so that rows which come or go meanwhile
  // make no other row appear twice or be left out. One whose values in that order change may do both.
  virtual void List(const ReadModelSchema& schema, QueryOptions options, ListOptions list, TakeRow take,
                    ListDone done) = 0;

  // Runs one SELECT on the tables of a projection (sql_query.h). Besides the errors there and those of queries:
  //   INVALID_ARGUMENT    no projection has this name; the message names those that there are
  //   RESOURCE_EXHAUSTED  another one runs (OVERLOADED, with RetryInfo)
  virtual void Sql(SqlQuery query, QueryOptions options, SqlDone done) = 0;
  // Ends SQL that runs, and refuses what comes (SHUTTING_DOWN): a process that is told to stop does not wait for it.
  virtual void EndSql() = 0;

  // Hints whenever rows of this read model may have changed: the projection has committed something, or another version
  // is queried. Once for several where they are quick, so that who wants to know reads again. The hint comes with a
  // lock held: it must not call the engine.
  //   UNIMPLEMENTED       no projection has this read model
  //   RESOURCE_EXHAUSTED  too many watches at a time (OVERLOADED, with RetryInfo)
  //   UNAVAILABLE         the engine is closed (SHUTTING_DOWN)
  virtual absl::StatusOr<std::unique_ptr<ChangeWatch>> WatchChanges(const ReadModelSchema& schema, ChangeHint hint) = 0;

  // Lets queries under way end, but for SQL, then calls `done`. Watches are not hinted any more.
  virtual void Close(Task done) = 0;
};

}  // namespace everfold
