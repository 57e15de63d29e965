// How long things took, as a histogram whose buckets are 3 % wide.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "absl/time/time.h"

namespace everfold::bench {

// Threading: Add is thread-safe; Percentile once nobody adds any more.
class Latencies {
 public:
  void Add(std::int64_t nanoseconds);
  // In microseconds: so many percent of all took no longer. 0 if there are none.
  double Percentile(double percent) const;

 private:
  static constexpr int kStepsADoubling = 32;
  static constexpr std::size_t kBuckets = 64 * kStepsADoubling;
  static std::size_t BucketOf(std::uint64_t nanoseconds);
  static double MiddleOf(std::size_t bucket);

  std::array<std::atomic<std::uint64_t>, kBuckets> buckets_{};
};

}  // namespace everfold::bench
