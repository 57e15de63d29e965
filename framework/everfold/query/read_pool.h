// Read-only connections to one projection's file.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "everfold/base/mutex.h"
#include "everfold/projection/projection.h"
#include "everfold/projection/read_model.h"
#include "everfold/projection/sqlite.h"
#include "everfold/query/row_key.h"
#include "everfold/runtime/executor.h"

namespace everfold {

// A connection and its prepared statements. Each call is one SELECT, which SQLite runs in a read transaction: it sees
// whole batches of the projection, all as of one moment.
// Threading: one thread at a time. Lifetime: the schemas outlive it.
class ReadConnection {
 public:
  using Visit = absl::FunctionRef<void(const ColumnReader&)>;

  static absl::StatusOr<std::unique_ptr<ReadConnection>> Open(const std::string& path);
  const std::string& path() const { return path_; }

  // False if there is no row with this key.
  absl::StatusOr<bool> Get(const ReadModelSchema& schema, const std::function<void(ColumnWriter&)>& key, Visit row);

  // Up to `limit` rows behind `after`, from the first one if that is empty. The result is the key of the last row if
  // more rows follow.
  absl::StatusOr<std::optional<RowKey>> List(const ReadModelSchema& schema, const std::optional<RowKey>& after,
                                             int limit, Visit row);

 private:
  struct TableStatements {
    std::unique_ptr<sqlite::Statement> get, first_page, next_page;
  };

  ReadConnection(std::string path, std::unique_ptr<sqlite::Database> database)
      : path_(std::move(path)), database_(std::move(database)) {}
  absl::StatusOr<TableStatements*> StatementsOf(const ReadModelSchema& schema);

  const std::string path_;
  std::unique_ptr<sqlite::Database> database_;
  absl::flat_hash_map<const ReadModelSchema*, TableStatements> tables_;
};

// A few connections, opened as they are needed. A read that finds all of them busy waits its turn in a queue; its
// thread does not. The caller bounds the queue.
//
// The projection's file may be another one at any time: a read under way ends on the one that it began with, the next
// one gets a connection to the new one.
// Threading: thread-safe. Lifetime: projection and executor outlive it; it outlives its reads.
class ReadPool {
 public:
  static constexpr int kMaxConnections = 4;
  // Gets a connection for the time of the call, or why there is none.
  using Read = absl::AnyInvocable<void(absl::StatusOr<ReadConnection*>)>;

  ReadPool(const Projection& projection, Executor& executor) : projection_(projection), executor_(executor) {}

  // Calls `read` on the executor. UNAVAILABLE (READ_MODEL_REBUILDING, with the lag and RetryInfo) while there is no
  // file with the tables of the code. What it owns is kept until the pool is done with it.
  void Run(Read read);

 private:
  void Post(Read read);
  void Serve(Read& read);
  absl::StatusOr<std::unique_ptr<ReadConnection>> Connect();
  std::unique_ptr<ReadConnection> TakeIdle(const std::string& path);
  void GiveBack(std::unique_ptr<ReadConnection> connection);

  const Projection& projection_;
  Executor& executor_;
  Mutex mutex_;
  int busy_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::unique_ptr<ReadConnection>> idle_ ABSL_GUARDED_BY(mutex_);
  std::deque<Read> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace everfold
