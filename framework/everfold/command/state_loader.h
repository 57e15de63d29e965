// States of aggregates, from the store: folded from the first event, or from a snapshot and what came after it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/base/clock.h"
#include "everfold/command/command_stats.h"
#include "everfold/command/snapshot_options.h"
#include "everfold/decide/aggregate_type.h"
#include "everfold/event/position.h"
#include "everfold/event/stream_id.h"
#include "everfold/store/event_store.h"
#include "everfold/store/snapshots/snapshot_store.h"
#include "google/protobuf/message.h"

namespace everfold {

// A stream's state at a version; version 0 has the empty state.
struct AggregateState {
  Version version;
  std::unique_ptr<google::protobuf::Message> message;  // nullptr: not known
  Version snapshot = {};                               // the last version that was saved; 0: none
};

// Threading: thread-safe. Lifetime: store, clock, snapshots and counters outlive it.
class StateLoader {
 public:
  // For these aggregates. `snapshots` may be nullptr: there are none.
  StateLoader(EventStore& store, const Clock& clock, SnapshotStore* snapshots, SnapshotOptions options,
              const std::vector<AggregateType>& aggregates, CommandCounters& counters);

  // The durable state. Blocks, while it reads.
  //   FAILED_PRECONDITION  the stream holds an event that this binary does not know (UNKNOWN_TYPE)
  //   INTERNAL             user code threw (DECIDER_FAILED), or the disk failed (STORAGE_FAILED)
  //   DATA_LOSS            stored bytes are damaged
  absl::StatusOr<AggregateState> Load(const StreamId& stream, const AggregateType& aggregate);
  // As it was in that part of the stream's history.
  absl::StatusOr<AggregateState> LoadPast(const StreamId& stream, const AggregateType& aggregate,
                                          const StreamRange& range) const;

  // True if a state of that version is to be saved.
  bool IsDue(const AggregateState& state) const {
    return snapshots_ != nullptr && state.version.value() - state.snapshot.value() >= options_.every_events;
  }
  // REQUIRES: the version is durable.
  void Save(const StreamId& stream, const AggregateType& aggregate, Snapshot snapshot);

 private:
  const std::string& KeyOf(const AggregateType& aggregate) const { return keys_.at(aggregate.name); }
  void StartFromSnapshot(const StreamId& stream, const AggregateType& aggregate, Version head, AggregateState& state);
  absl::Status FoldOn(const StreamId& stream, const AggregateType& aggregate, const StreamRange& range,
                      AggregateState& state) const;
  bool IsToBeChecked();
  absl::StatusOr<AggregateState> Check(const StreamId& stream, const AggregateType& aggregate, AggregateState loaded);

  EventStore& store_;
  const Clock& clock_;
  SnapshotStore* const snapshots_;
  const SnapshotOptions options_;
  absl::flat_hash_map<std::string, std::string> keys_;  // by aggregate
  CommandCounters& counters_;
  std::atomic<std::uint64_t> from_snapshots_ = 0;
};

// What tells snapshots of one program from those of another: the state's descriptor, the revisions of decider and
// upcasters, and the epoch of the log.
std::string SnapshotKeyOf(const AggregateType& aggregate, const Epoch& epoch);

// Equal messages give equal bytes, also with maps.
std::string DeterministicBytes(const google::protobuf::Message& message);

}  // namespace everfold
