// The streams that a lane knows: all that have commands, and of the others those that had some last, bounded by the
// bytes of their states.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "everfold/command/stream_slot.h"

namespace everfold {

// Threading: one thread at a time.
class StreamTable {
 public:
  // Sizes are what SpaceUsedLong tells, and the slot's own. States of streams with commands count as well, and are
  // never forgotten: where they take all of it, or more, none of a stream without commands is kept.
  explicit StreamTable(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  // The stream's slot, with work; made if it is not known. Lifetime: until it is returned.
  StreamSlot& Take(const StreamId& stream);
  // Its state is another one, or has grown. REQUIRES: it has work.
  void Measure(StreamSlot& slot);
  // It has no commands any more. Keeps it, if it has a state and there is room; forgets what was used least recently.
  // REQUIRES: its work is idle.
  void Return(StreamSlot& slot);

  // Of the states of streams without commands.
  std::size_t idle_bytes() const { return idle_bytes_; }
  // Of those with commands, when they were measured last.
  std::size_t busy_bytes() const { return busy_bytes_; }
  std::size_t size() const { return slots_.size(); }

 private:
  using SlotPtr = std::unique_ptr<StreamSlot>;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const StreamId& stream) const { return absl::HashOf(stream); }
    std::size_t operator()(const SlotPtr& slot) const { return absl::HashOf(slot->stream); }
  };
  struct Same {
    using is_transparent = void;
    bool operator()(const SlotPtr& a, const SlotPtr& b) const { return a->stream == b->stream; }
    bool operator()(const SlotPtr& a, const StreamId& b) const { return a->stream == b; }
    bool operator()(const StreamId& a, const SlotPtr& b) const { return a == b->stream; }
  };

  void Forget(StreamSlot& slot);
  void MakeRoom();

  const std::size_t max_bytes_;
  std::size_t idle_bytes_ = 0;
  std::size_t busy_bytes_ = 0;
  absl::flat_hash_set<SlotPtr, Hash, Same> slots_;
  std::list<StreamSlot*> idle_;                     // most recently used first
  std::vector<std::unique_ptr<StreamWork>> spare_;  // their memory is used again
};

}  // namespace everfold
