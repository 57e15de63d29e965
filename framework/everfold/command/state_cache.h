// Aggregate states in memory, bounded by bytes; the least recently used go first.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "everfold/event/position.h"
#include "everfold/event/stream_id.h"
#include "google/protobuf/message.h"

namespace everfold {

// A stream's state at a version; version 0 has the empty state.
struct AggregateState {
  Version version;
  std::unique_ptr<google::protobuf::Message> message;
};

// Threading: one strand.
class StateCache {
 public:
  // Sizes are what SpaceUsedLong tells, and the key.
  explicit StateCache(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  // Takes the state out, for the time in which a command works on it.
  std::optional<AggregateState> Take(const StreamId& stream);
  void Put(const StreamId& stream, AggregateState state);

  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    StreamId stream;
    AggregateState state;
    std::size_t bytes;
  };
  using Entries = std::list<Entry>;
  void Remove(Entries::iterator entry);

  const std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  Entries entries_;  // most recently used first
  absl::flat_hash_map<StreamId, Entries::iterator> by_stream_;
};

}  // namespace everfold
