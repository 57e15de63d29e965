// When what follows the log in an SQLite file takes its next batch. A transaction costs SQLite a page for every row
// that it changes, however many events have changed it; so where many events come and nobody waits for one of them, the
// next batch rests until there are more. What comes slowly is taken at once.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace everfold {

// Threading: thread-safe.
class BatchPace {
 public:
  // Smaller batches are no crowd: the next one does not rest.
  static constexpr std::size_t kFewEvents = 64;
  // From the beginning of a batch to that of the next one, for each of its events; more than 20,000 events a second
  // make it longer from batch to batch, up to the longest.
  static constexpr absl::Duration kAnEvent = absl::Microseconds(50);
  static constexpr absl::Duration kLongest = absl::Milliseconds(20);

  explicit BatchPace(absl::Duration an_event = kAnEvent, absl::Duration longest = kLongest)
      : an_event_(an_event), longest_(longest) {}

  // A batch that began then had so many events.
  void Ran(absl::Time began, std::size_t events) {
    const absl::Duration pause =
        events < kFewEvents ? absl::ZeroDuration() : std::min(longest_, static_cast<std::int64_t>(events) * an_event_);
    next_.store(absl::ToUnixNanos(began + pause), std::memory_order_relaxed);
  }
  // How long the next one still rests. Never longer than the longest, wherever the clock has jumped.
  absl::Duration RestAt(absl::Time now) const {
    const absl::Duration rest = absl::FromUnixNanos(next_.load(std::memory_order_relaxed)) - now;
    return std::clamp(rest, absl::ZeroDuration(), longest_);
  }

 private:
  const absl::Duration an_event_;
  const absl::Duration longest_;
  std::atomic<std::int64_t> next_ = 0;  // nanoseconds of Unix time
};

}  // namespace everfold
