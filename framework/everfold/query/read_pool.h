// Read-only connections to one projection's file.
#pragma once

#include <cstdint>
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
#include "everfold/base/clock.h"
#include "everfold/base/mutex.h"
#include "everfold/event/consistency_token.h"
#include "everfold/projection/projection.h"
#include "everfold/projection/read_model.h"
#include "everfold/projection/snapshot_gate.h"
#include "everfold/projection/sqlite.h"
#include "everfold/query/list_query.h"
#include "everfold/runtime/executor.h"

namespace everfold {

// A connection and its prepared statements. Each call is one SELECT, which SQLite runs in a read transaction: it sees
// whole batches of the projection, all as of one moment. Calls share that moment while a snapshot is kept.
// Threading: one thread at a time. Lifetime: the schemas outlive it.
class ReadConnection {
 public:
  using Visit = absl::FunctionRef<void(const ColumnReader&)>;

  // To a file with these read models, or with those that they were before something was added to them.
  static absl::StatusOr<std::unique_ptr<ReadConnection>> Open(const std::string& path,
                                                              const std::vector<const ReadModelSchema*>& read_models);
  const std::string& path() const { return path_; }

  // Reads from now on end with DEADLINE_EXCEEDED once `deadline` is passed by the clock, which outlives the connection;
  // until EndReads.
  void SetDeadline(const Clock& clock, absl::Time deadline);

  // Keeps a snapshot from the next read on, or goes on with it if it was kept at the same `commits` (SnapshotGate);
  // nullopt: keeps none. Nor is one kept after an error.
  void KeepSnapshot(std::optional<std::uint64_t> commits);
  // After the last read. Gives up a snapshot unless it is as of `commits`. False if the connection is of no more use.
  bool EndReads(std::optional<std::uint64_t> commits);

  // False if there is no row with this key.
  absl::StatusOr<bool> Get(const ReadModelSchema& schema, const std::function<void(ColumnWriter&)>& key, Visit row);

  // True if an event of the write, or the one at its last position where the token names none, waits because it, or one
  // before it with its key, could not be handled.
  absl::StatusOr<bool> HasParked(const ConsistencyToken& token);

  // The rows of one page, as long as `take` has room for them in the page's bytes; the first one comes whatever its
  // size. `take` returns the bytes that the row takes; where that is more than `room`, it has not taken the row. The
  // result is what the next page comes after, if more rows follow.
  using Take = absl::FunctionRef<std::size_t(const ColumnReader& row, std::size_t room)>;
  absl::StatusOr<std::optional<std::vector<ColumnValue>>> List(const ReadModelSchema& schema, const ListQuery& query,
                                                               Take take);

 private:
  // More texts than these are dropped, all at once: filters of callers may be as many as they like.
  static constexpr std::size_t kMaxStatements = 200;

  ReadConnection(std::string path, std::unique_ptr<sqlite::Database> database, std::unique_ptr<sqlite::Statement> begin,
                 std::unique_ptr<sqlite::Statement> roll_back)
      : path_(std::move(path)),
        database_(std::move(database)),
        begin_(std::move(begin)),
        roll_back_(std::move(roll_back)) {}
  absl::StatusOr<bool> ReadRow(const ReadModelSchema& schema, const std::function<void(ColumnWriter&)>& key, Visit row);
  absl::StatusOr<bool> FindParked(const ConsistencyToken& token);
  absl::StatusOr<std::optional<std::vector<ColumnValue>>> ReadPage(const ReadModelSchema& schema,
                                                                   const ListQuery& query, Take take);
  void GiveUpSnapshot();
  // A snapshot in which something failed is not read again.
  template <class Result>
  Result Heed(Result result) {
    if (!result.ok()) GiveUpSnapshot();
    return result;
  }
  absl::StatusOr<sqlite::Statement*> StatementOf(const std::string& sql);

  const std::string path_;
  std::unique_ptr<sqlite::Database> database_;
  const std::unique_ptr<sqlite::Statement> begin_, roll_back_;
  std::optional<std::uint64_t> as_of_;  // the snapshot that is kept, in a transaction
  absl::flat_hash_map<const ReadModelSchema*, std::unique_ptr<sqlite::Statement>> gets_;
  absl::flat_hash_map<std::string, std::unique_ptr<sqlite::Statement>> statements_;  // of lists, by their text
};

// The file of a projection that is to be queried. UNAVAILABLE (READ_MODEL_REBUILDING, with the lag and RetryInfo) while
// there is none with the tables of the code, or it is damaged.
absl::StatusOr<std::string> QueriedFile(const Projection& projection);
// Whether another file is queried by now: then that one may be gone, two versions later, and opening it may have failed
// for no other reason. Whoever could not open it asks for the file again.
bool WasReplaced(const Projection& projection, const std::string& path);

// A few connections, opened as they are needed. A read that finds all of them busy waits its turn in a queue; its
// thread does not. The caller bounds the queue.
//
// A connection keeps its snapshot until its read's callback has ended, and for the next read, until something is
// committed to the projection's files: SQLite locks the file for each snapshot, all connections through one mutex.
//
// The projection's file may be another one at any time: a read under way ends on the one that it began with, the next
// one gets a connection to the new one. Those to a file that is not queried any more are closed when they come back, or
// at the next read: the disk has its space then.
// Threading: thread-safe. Lifetime: projection and executor outlive it; it outlives its reads.
class ReadPool {
 public:
  // Gets a connection for the time of the call, or why there is none.
  using Read = absl::AnyInvocable<void(absl::StatusOr<ReadConnection*>)>;

  // REQUIRES: max_connections >= 1.
  ReadPool(const Projection& projection, Executor& executor, int max_connections);

  // Calls `read` on the executor, with an error as of QueriedFile, or of SQLite. What it owns is kept until the pool is
  // done with it.
  void Run(Read read);
  // Calls `read` at once if a connection is open and idle; otherwise as Run.
  void RunAtOnce(Read read);

 private:
  void Post(Read read);
  void Serve(Read& read);
  absl::StatusOr<std::unique_ptr<ReadConnection>> Connect();
  std::unique_ptr<ReadConnection> TakeIdle(const std::string& path);
  std::unique_ptr<ReadConnection> FindIdle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CloseStale(const std::string& path) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void GiveBack(std::unique_ptr<ReadConnection> connection);
  void GiveUpSnapshots();

  const Projection& projection_;
  const std::shared_ptr<SnapshotGate> snapshots_;
  Executor& executor_;
  const int max_connections_;
  Mutex mutex_;
  int busy_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::unique_ptr<ReadConnection>> idle_ ABSL_GUARDED_BY(mutex_);
  std::deque<Read> waiting_ ABSL_GUARDED_BY(mutex_);
  const SnapshotGate::Keeper keeper_;
};

}  // namespace everfold
