// A running projection: subscription -> handlers -> rows and checkpoint, both in one SQLite transaction.
//
// Its file is <directory>/<name>/<revision>.db. Deleting the file and opening again builds it anew from the log, and so
// does another revision or another schema.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/position.h"
#include "everfold/projection/projection_type.h"
#include "everfold/runtime/executor.h"
#include "everfold/store/event_store.h"
#include "everfold/telemetry/logger.h"

namespace everfold {

struct ProjectionRunnerOptions {
  std::string directory;                // of all read models, for example ".everfold/wallet/read"
  std::size_t max_batch_events = 2000;  // in one transaction
  Logger* logger = nullptr;             // null: nothing is told; else it outlives the projection
};

// Threading: thread-safe, but for Open and Close. Lifetime: store and executor outlive it.
class Projection {
 public:
  // Opens or creates the file, and does not run yet.
  //   INVALID_ARGUMENT     a name, a revision or read models that cannot be
  //   FAILED_PRECONDITION  the file is of another history of the store (OTHER_HISTORY), of another format, or was not
  //                        made by everfold
  //   DATA_LOSS            its checkpoint is beyond the log's durable head, or the file is damaged
  static absl::StatusOr<std::unique_ptr<Projection>> Open(ProjectionRunnerOptions options, ProjectionType type,
                                                          EventStore& store, Executor& executor);
  virtual ~Projection() = default;

  // Follows the log until Close. An error of a handler or of SQLite takes the batch back and stops it; status() tells
  // where (READ_MODEL_STOPPED). Opening it again retries.
  virtual void Start() = 0;

  virtual const ProjectionType& type() const = 0;
  virtual const std::string& path() const = 0;  // of the SQLite file
  virtual absl::Status status() const = 0;
  // What is committed.
  virtual Checkpoint checkpoint() const = 0;
  virtual std::uint64_t lag_events() const = 0;  // behind the durable head

  // Calls `done` on the executor as soon as everything up to `positions` is committed, or with the error when the
  // projection has stopped or closes (UNAVAILABLE). Returns an id for CancelWait.
  using WaitDone = absl::AnyInvocable<void(absl::Status)>;
  // REQUIRES: partitions of the store.
  virtual std::uint64_t WaitFor(std::vector<Position> positions, WaitDone done) = 0;
  // Drops a wait: its `done` is not called any more unless it was already on its way.
  virtual void CancelWait(std::uint64_t id) = 0;

  // Ends after the batch at hand, then calls `done` on the executor. Whoever destroys a projection without it makes
  // sure that the executor runs none of its steps any more.
  virtual void Close(Task done) = 0;
};

}  // namespace everfold
