#include "domain/event_time.h"

#include <algorithm>

namespace shop::v1 {

using everfold::TimeOf;

TimeBounds BoundsSince(const Timestamp& last, const everfold::Context& context) {
  const absl::Time earliest = std::max(TimeOf(last), absl::UnixEpoch());
  return {.earliest = earliest, .latest = std::max(earliest, context.now())};
}

TimeBounds BoundsOfHistory(const everfold::Context& context) { return BoundsSince(Timestamp(), context); }

bool IsWithin(const Timestamp& time, const TimeBounds& bounds) {
  const bool is_timestamp = time.nanos() >= 0 && time.nanos() < 1'000'000'000;
  return is_timestamp && TimeOf(time) >= bounds.earliest && TimeOf(time) <= bounds.latest;
}

Timestamp Later(const Timestamp& a, const Timestamp& b) { return TimeOf(a) < TimeOf(b) ? b : a; }

}  // namespace shop::v1
