// Saved states of streams, so that a long one need not be folded from its first event: a cache, never the truth. All of
// it can be deleted at any time, and is lost in part by a crash.
//
// A snapshot is kept under a key that says what code made it: the state's descriptor, the revisions of decider and
// upcasters, the epoch of the log. Other code asks with another key and finds nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/position.h"
#include "everfold/event/stream_id.h"
#include "everfold/log/files/files.h"
#include "everfold/runtime/executor.h"

namespace everfold {

inline constexpr std::size_t kSnapshotKeyBytes = 32;

struct Snapshot {
  Version version;    // of the stream; its event and all before are durable
  std::string state;  // serialized
  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

struct SnapshotCounts {
  std::uint64_t saved = 0;
  std::uint64_t dropped = 0;  // unsaved: too much was waiting to be written
  std::uint64_t failed = 0;   // could not be written
};

// Threading: thread-safe.
class SnapshotStore {
 public:
  virtual ~SnapshotStore() = default;

  // nullopt if there is none under that key. INTERNAL (STORAGE_FAILED) or DATA_LOSS if it cannot be read: the state is
  // then folded from the first event. REQUIRES, here and below: the key has kSnapshotKeyBytes.
  virtual absl::StatusOr<std::optional<Snapshot>> Find(const StreamId& stream, std::string_view key) const = 0;
  // In place of the stream's snapshot, of whatever key, that may be there; later, and not at all if too much is waiting
  // or it fails.
  virtual void Save(const StreamId& stream, std::string_view key, Snapshot snapshot) = 0;
  // A wrong one: it does not come back, after a crash neither, once this has returned. Blocks.
  virtual void Drop(const StreamId& stream) = 0;

  virtual SnapshotCounts counts() const = 0;
  // Writes what is waiting, then calls `done`. Nothing may be called after it but the destructor, once `done` has
  // returned.
  virtual void Close(Task done) = 0;
};

struct SnapshotFilesOptions {
  Files* files = nullptr;  // outlives the snapshots
  std::string directory;   // of theirs alone
  std::size_t cache_bytes = 32 << 20;
  std::size_t max_waiting_bytes = 8 << 20;  // to be written
};

// In files, written on a thread of low priority of its own. What is there and cannot be opened is deleted, and
// `began_anew` tells why; empty if it was not. INTERNAL (STORAGE_FAILED) if the file system fails, FAILED_PRECONDITION
// (STORE_LOCKED) if somebody else has them open.
absl::StatusOr<std::unique_ptr<SnapshotStore>> OpenSnapshotFiles(const SnapshotFilesOptions& options,
                                                                 std::string& began_anew);

// In memory alone, without limit: for tests, and stores without files.
std::unique_ptr<SnapshotStore> MakeMemorySnapshots();

}  // namespace everfold
