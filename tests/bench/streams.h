// The streams that are appended to, and which version each is known to have.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "everfold/event/position.h"
#include "everfold/event/stream_id.h"

namespace everfold::bench {

// Threading: thread-safe.
class Streams {
 public:
  static constexpr std::uint32_t kStreams = 1'000'000;

  Streams() : versions_(kStreams) {}

  static StreamId NameOf(std::uint32_t stream);
  Version Known(std::uint32_t stream) const { return Version(versions_[stream].load(std::memory_order_relaxed)); }
  // Versions only grow.
  void Learn(std::uint32_t stream, Version version);

 private:
  std::vector<std::atomic<std::uint32_t>> versions_;
};

}  // namespace everfold::bench
