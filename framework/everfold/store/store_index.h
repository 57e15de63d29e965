// What the store knows about the log without reading it: where each stream's events are, and what became of each
// command. A projection of the log: built from it at opening, extended by every durable group, never the truth.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/base/mutex.h"
#include "everfold/event/chunk.h"
#include "everfold/store/append.h"

namespace everfold {

// The scope of a command id: the same id under another tenant or type is another command.
struct CommandKey {
  std::string tenant;
  std::string type;
  std::string id;
  friend bool operator==(const CommandKey&, const CommandKey&) = default;
  template <class H>
  friend H AbslHashValue(H state, const CommandKey& key) {
    return H::combine(std::move(state), key.tenant, key.type, key.id);
  }
};

// A command that was handled.
struct RecordedCommand {
  std::string fingerprint;
  AppendResult result;
};

// The first result again; INVALID_ARGUMENT (IDEMPOTENCY_KEY_REUSED) if `request` is not the one that was recorded.
absl::StatusOr<AppendResult> RepeatedResult(const RecordedCommand& recorded, const CommandId& request);

// Where a commit's events of one stream begin.
struct StreamPlace {
  Version first_version;
  Offset first_offset;
};

// Threading: thread-safe; one thread at a time may Add.
class StoreIndex {
 public:
  // 0 for a stream that does not exist.
  Version VersionOf(const StreamId& stream) const;
  // The commits that hold events of the stream above `after`, in order.
  std::vector<StreamPlace> PlacesAfter(const StreamId& stream, Version after) const;
  std::optional<RecordedCommand> FindCommand(const CommandKey& command) const;

  // DATA_LOSS if a stream's versions do not follow on each other; the index is then of no use.
  absl::Status Add(const Chunk& chunk);

 private:
  struct StreamEntry {
    Version version;
    std::vector<StreamPlace> places;
  };
  absl::Status AddStream(const StreamEvents& stream, Offset first_offset) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AddCommand(const Commit& commit, PartitionId partition, Offset first_offset)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  absl::flat_hash_map<StreamId, StreamEntry> streams_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<CommandKey, RecordedCommand> commands_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace everfold
