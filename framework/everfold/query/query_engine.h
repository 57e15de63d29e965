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
#include "everfold/runtime/executor.h"

namespace everfold {

inline constexpr int kDefaultPageSize = 100;
inline constexpr int kMaxPageSize = 1000;

// What every query may carry.
struct QueryOptions {
  std::string consistency_token = {};            // of a receipt; empty: answer from what is there
  absl::Time deadline = absl::InfiniteFuture();  // by the engine's clock
};

struct ListOptions {
  int page_size = 0;            // 0: kDefaultPageSize; above kMaxPageSize: kMaxPageSize (AIP-158); negative is refused
  std::string page_token = {};  // opaque, of the page before
};

// Threading: thread-safe. Lifetime: executor, clock, projections and schemas outlive it. Close it before the
// projections.
class QueryEngine {
 public:
  using BindKey = std::function<void(ColumnWriter&)>;
  using VisitRow = std::function<void(const ColumnReader&)>;
  using GetDone = absl::AnyInvocable<void(absl::Status)>;
  using ListDone = absl::AnyInvocable<void(absl::StatusOr<std::string> next_page_token)>;

  // A query that waits for a token longer than this is answered UNAVAILABLE even if its deadline is later.
  static constexpr absl::Duration kMaxWait = absl::Seconds(10);

  // More queries than this at a time, waiting ones included, are refused unless Create is told another number.
  static constexpr std::size_t kMaxQueries = 10'000;

  // INVALID_ARGUMENT if two projections have the same read model: a query would not know which to ask.
  static absl::StatusOr<std::unique_ptr<QueryEngine>> Create(std::vector<Projection*> projections, Executor& executor,
                                                             const Clock& clock, std::size_t max_queries = kMaxQueries);
  virtual ~QueryEngine() = default;

  // Calls `row` once, then `done`, both on the executor; NOT_FOUND (ROW_NOT_FOUND, ResourceInfo) without calling `row`
  // if there is no such row. A query without a token, or with one that is reached, is answered even if the projection
  // has stopped. Errors of both calls:
  //   INVALID_ARGUMENT     a consistency token or page token that is none, or a negative page size
  //   UNIMPLEMENTED        no projection has this read model
  //   FAILED_PRECONDITION  a token of another history (OTHER_HISTORY)
  //   DEADLINE_EXCEEDED    the deadline was over before the query began (DEADLINE_EXCEEDED)
  //   RESOURCE_EXHAUSTED   too many queries at a time (OVERLOADED, with RetryInfo)
  //   UNAVAILABLE          the read model did not reach the token in time (READ_MODEL_BEHIND, with the lag in events
  //                        and RetryInfo); its projection has stopped (READ_MODEL_STOPPED); the engine is closed
  //                        (SHUTTING_DOWN)
  virtual void Get(const ReadModelSchema& schema, QueryOptions options, BindKey key, VisitRow row, GetDone done) = 0;
  // Calls `row` for each row of the page, then `done` with the token of the next page, empty at the end. A page begins
  // behind the last key of the page before, so that rows which come or go meanwhile make no other row appear twice or
  // be left out.
  virtual void List(const ReadModelSchema& schema, QueryOptions options, ListOptions list, VisitRow row,
                    ListDone done) = 0;

  // Lets queries under way end, then calls `done`.
  virtual void Close(Task done) = 0;
};

}  // namespace everfold
