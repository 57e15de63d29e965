// A running projection: subscription -> handlers -> rows and checkpoint, both in one SQLite transaction.
//
// Its files are versions of its read models (read_model_manifest.h): one is queried and follows the log. Another can be
// built beside it, from the beginning of the log, and take its place when it has come as far; queries go on meanwhile,
// and see the old one or the new one. That happens by itself when the file is of another revision or of other tables
// than the code, or is found to be damaged when it is opened, which leaves nothing to be queried meanwhile; a file that
// is deleted is built anew in its place.
//
// What the new code needs can be built before it starts, while an application of the code of before is at work
// (ahead_build.h): the opening takes it over, and what is left is to catch up.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/base/clock.h"
#include "everfold/event/position.h"
#include "everfold/log/files/files.h"
#include "everfold/projection/parked_events.h"
#include "everfold/projection/projection_status.h"
#include "everfold/projection/projection_type.h"
#include "everfold/projection/row_comparison.h"
#include "everfold/projection/snapshot_gate.h"
#include "everfold/runtime/executor.h"
#include "everfold/store/event_store.h"
#include "everfold/telemetry/logger.h"

namespace everfold {

struct ProjectionRunnerOptions {
  std::string directory;                // of all read models, for example ".everfold/wallet/read"
  std::size_t max_batch_events = 2000;  // in one transaction
  // While the next version is built, or so many events are to be caught up with: larger, because nobody waits for the
  // single event. Transactions then hold many of these (docs/decisions/0029).
  std::size_t max_rebuild_batch_events = 20'000;
  // After an error of the disk: the first pause, doubled up to the longest.
  absl::Duration first_retry = absl::Milliseconds(100);
  absl::Duration longest_retry = absl::Seconds(30);
  // Behind, and not moved for so long: it is told as stalled.
  absl::Duration stall_after = absl::Seconds(30);
  Files* files = nullptr;        // null: PosixFiles(); SQLite has its own way to the disk
  const Clock* clock = nullptr;  // null: the system's; else it outlives the projection
  Logger* logger = nullptr;      // null: nothing is told; else it outlives the projection
};

// Two versions of a projection's read models, as of the same events.
struct VersionComparison {
  std::uint32_t before = 0;  // the version that is queried
  std::uint32_t after = 0;   // the new one
  std::uint64_t events = 0;  // that each of them has handled
  std::vector<TableDifference> tables = {};
};

// Threading: thread-safe, but for Open and Close. Lifetime: store and executor outlive it.
class Projection {
 public:
  using Done = absl::AnyInvocable<void(absl::Status)>;

  // Opens or creates the files, and does not run yet.
  //   INVALID_ARGUMENT     a name, a revision or read models that cannot be
  //   FAILED_PRECONDITION  the file is of another history of the store (OTHER_HISTORY), of another format, or was not
  //                        made by everfold
  //   DATA_LOSS            its checkpoint is beyond the log's durable head
  static absl::StatusOr<std::unique_ptr<Projection>> Open(ProjectionRunnerOptions options, ProjectionType type,
                                                          EventStore& store, Executor& executor);
  virtual ~Projection() = default;

  // Follows the log until Close. An event that cannot be handled is parked (event_folder.h). An error of the file or of
  // the log takes the batch back and stops it; status() tells where (READ_MODEL_STOPPED). Where another try may help
  // there is one by itself; Resume retries at once.
  virtual void Start() = 0;

  virtual const ProjectionType& type() const = 0;
  // Of the file that is queried; empty while there is none with the tables of the code, or it is damaged. Another one
  // after a swap.
  virtual std::string path() const = 0;
  // Of all its files.
  virtual std::shared_ptr<SnapshotGate> snapshots() const = 0;
  virtual absl::Status status() const = 0;
  // What is committed, in the file that is queried.
  virtual Checkpoint checkpoint() const = 0;
  virtual std::uint64_t lag_events() const = 0;  // behind the durable head
  // Of the log that it follows: what is behind it, no event of the log is.
  virtual Checkpoint durable_head() const = 0;
  virtual ProjectionStatus Describe() const = 0;

  // Calls `done` on the executor as soon as everything up to `positions` is committed, or with the error when the
  // projection has stopped, is paused or closes (UNAVAILABLE). Returns an id for CancelWait.
  using WaitDone = absl::AnyInvocable<void(absl::Status)>;
  // REQUIRES: partitions of the store.
  virtual std::uint64_t WaitFor(std::vector<Position> positions, WaitDone done) = 0;
  // Calls `done` on the executor after the next time that rows may have changed: a commit, also one that does not move
  // the checkpoint (a retry or a drop of what was parked), or another version in the place of the one that was queried.
  // May be for no reason. Errors as of WaitFor.
  virtual std::uint64_t WaitForChange(WaitDone done) = 0;
  // Drops a wait of either kind: its `done` is not called any more unless it was already on its way.
  virtual void CancelWait(std::uint64_t id) = 0;

  // What follows is for operators. Each `done` is called once, on the executor; UNAVAILABLE (SHUTTING_DOWN) if it
  // closes before.

  // Takes in no more events until Resume, after a restart either. What is built goes on. OK if it is so already.
  virtual void Pause(Done done) = 0;
  // Also tries at once what an error has stopped.
  virtual void Resume(Done done) = 0;

  // Builds a new version from the whole log, beside the one that is queried, and swaps them when it has come at least
  // as far in every partition. `done` comes after the swap. A restart goes on where it was.
  // One that is being built already is waited for. A paused projection stays paused: the new version has all that there
  // was when it took its place, and takes in nothing more.
  //   FAILED_PRECONDITION  a rollback is under way (READ_MODEL_REBUILDING); or the new version parks a key that the
  //                        current one does not, as far as that has come: it is given up, and the current one stays
  //                        (READ_MODEL_PARKS_MORE)
  //   CANCELLED            CancelRebuild was called
  // and the errors at which it stopped.
  virtual void Rebuild(Done done) = 0;
  // Builds a new version as Rebuild does, or goes on with one, and compares its rows with those that are queried, both
  // as of the same events. It is not swapped in, but kept: Rebuild has little left to do then.
  //   FAILED_PRECONDITION  something else is being built (READ_MODEL_REBUILDING); or the projection is paused, has
  //                        stopped, or has nothing yet that could be compared
  // and as Rebuild.
  using CompareDone = absl::AnyInvocable<void(absl::StatusOr<VersionComparison>)>;
  virtual void Compare(CompareDone done) = 0;
  // Throws the read models away, and those of before, and begins with empty ones at the beginning of the log: queries
  // see them grow. For what a Rebuild cannot do beside them: there is no room, or it would park more.
  //   FAILED_PRECONDITION  something is being built (READ_MODEL_REBUILDING)
  virtual void Reset(Done done) = 0;
  // Goes back to the version that was queried before the last swap, once it has caught up.
  //   FAILED_PRECONDITION  there is none, or it was built by other code; and as Rebuild
  virtual void Rollback(Done done) = 0;
  // Gives up what is being built, or is kept after a comparison; FAILED_PRECONDITION if nothing is, or if the code
  // cannot go on without it.
  virtual void CancelRebuild(Done done) = 0;

  // Keys in their order.
  virtual void ListParked(absl::AnyInvocable<void(absl::StatusOr<std::vector<ParkedKey>>)> done) = 0;
  // The first events that wait, in their order. NOT_FOUND (NOT_PARKED) if the key is not parked.
  virtual void ListParkedEvents(std::string key, std::size_t limit,
                                absl::AnyInvocable<void(absl::StatusOr<std::vector<ParkedEvent>>)> done) = 0;
  // Handles the events of the key again, in their order, until one fails. The result is the number that still wait.
  // NOT_FOUND if the key is not parked.
  using RetryDone = absl::AnyInvocable<void(absl::StatusOr<std::uint64_t>)>;
  virtual void RetryParked(std::string key, RetryDone done) = 0;
  // Leaves out the first event of the key, for good: the decision is an event of the log, with its reason. Then retries
  // the others. `version` is that event's in its stream, and `stream` that, which may be left out where the key is
  // the stream: who asks has looked at it. Of one that closes meanwhile the result is the number before that retry: the
  // next opening leaves the event out, and retries.
  //   INVALID_ARGUMENT     no reason, or one of more than kMaxDropReasonBytes or that is not printable
  //   FAILED_PRECONDITION  another event is the first one by now, or one is being dropped (NOT_PARKED)
  virtual void DropParked(std::string key, std::optional<StreamId> stream, Version version, std::string reason,
                          RetryDone done) = 0;

  // Ends after the batch at hand, then calls `done` on the executor. Whoever destroys a projection without it makes
  // sure that the executor runs none of its steps any more.
  virtual void Close(Task done) = 0;
};

inline constexpr std::size_t kMaxDropReasonBytes = 1000;

}  // namespace everfold
