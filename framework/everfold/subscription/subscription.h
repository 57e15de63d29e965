// Following the log from a checkpoint: first what is there, then what comes, without a gap and without a doubled event.
//
// A subscription is pulled. It reads every partition up to the durable sequence and hands out the events merged by
// sequence, so that an effect is never seen before its cause, and so that every reader sees the same order. That more
// has come is only a hint (EventStore::WatchDurable); whoever misses one sees the events at the next pull. Nothing
// waits for a reader: one that is slow reads from the log what others read from memory.
//
// Reading a part of the log, to an end that is known when it begins, is the same with `upto` or `upto_sequence`; the
// newest events first are another reader's work (subscription/latest_events.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/event_selection.h"
#include "everfold/event/recorded_event.h"
#include "everfold/runtime/executor.h"
#include "everfold/store/event_store.h"

namespace everfold {

struct SubscriptionOptions {
  EventSelection selection = {};              // default: all events but the framework's own
  std::optional<PartitionId> partition = {};  // of one alone; the checkpoint's other offsets stay as they are
  Checkpoint upto = {};                       // where it ends; without offsets: nowhere
  Sequence upto_sequence = {};                // likewise, that one included; 0: nowhere
  // Of chunks read in one pull, beyond which it comes to an end: a selection that meets nothing would otherwise hold
  // its thread until all of the log is read.
  std::size_t max_bytes_a_pull = 16 << 20;
  // Where chunks are read ahead of the pulls while there are many to come, in steps of 64 KB (some 50 us) or a chunk,
  // one at a time. That takes 4 MB, and 64 KB or a chunk of each partition, until the subscription has caught up. It
  // outlives the subscription. nullptr: the pulls read all of it.
  Executor* read_ahead = nullptr;
};

struct PullResult {
  std::size_t events = 0;  // handed out
  // The durable head was reached, or where the subscription ends. Otherwise there may be more to pull at once.
  bool caught_up = false;
  // The checkpoint is another one: it moves over events that are not wanted, too.
  bool moved = false;
  friend bool operator==(const PullResult&, const PullResult&) = default;
};

// Threading: one thread at a time. Lifetime: not longer than its store.
class Subscription {
 public:
  using Visit = absl::FunctionRef<absl::Status(const RecordedEvent&)>;

  // `from` with no offsets starts at the beginning.
  //   INVALID_ARGUMENT     a selection beyond a limit or malformed, a partition that does not exist, or no bytes a pull
  //                        (REQUEST_INVALID, LIMIT_EXCEEDED)
  //   OUT_OF_RANGE         an end beyond the durable head (BEYOND_HEAD)
  //   FAILED_PRECONDITION  `from` or `upto` is of another epoch or number of partitions (OTHER_HISTORY)
  //   DATA_LOSS            `from` is beyond the durable head: the log has lost events that the reader has handled
  static absl::StatusOr<std::unique_ptr<Subscription>> Start(const EventStore& store, const Checkpoint& from,
                                                             SubscriptionOptions options = {});
  virtual ~Subscription() = default;

  // Calls `visit` for up to `max_events` wanted events behind the checkpoint, in the order of sequence, and moves the
  // checkpoint over each one whose visit returns OK. An error of `visit` or of the log ends the pull and is the result;
  // the next pull begins with the event that was refused. INVALID_ARGUMENT if `max_events` is 0.
  virtual absl::StatusOr<PullResult> Pull(std::size_t max_events, Visit visit) = 0;

  // Behind the last event that was handed out, and behind what follows it and is not wanted, as far as that has been
  // read: a subscription with the same selection that starts here misses nothing, and does not read it again.
  virtual const Checkpoint& checkpoint() const = 0;
};

// The checkpoint before the first event of the store.
Checkpoint BeginningOf(const EventStore& store);

// Events that the checkpoint is past, of all partitions.
std::uint64_t EventsBefore(const Checkpoint& checkpoint);

}  // namespace everfold
