// Which part of a stream is read, and in which order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "absl/time/time.h"
#include "everfold/event/position.h"

namespace everfold {

enum class Direction : std::uint8_t { kForwards, kBackwards };

// By default all of it, the oldest event first.
struct StreamRange {
  Version after = {};                                           // above which
  Version upto = {};                                            // that one included; 0: the stream's end
  std::optional<absl::Time> as_of = {};                         // recorded then or earlier
  Direction direction = Direction::kForwards;                   // backwards: the newest first
  std::size_t limit = std::numeric_limits<std::size_t>::max();  // events at most, in that order
};

}  // namespace everfold
