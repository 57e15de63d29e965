#include "tests/bench/latencies.h"

#include <algorithm>
#include <bit>

namespace everfold::bench {

// Below kStepsADoubling each nanosecond has its bucket; above, each doubling has that many of equal width.
std::size_t Latencies::BucketOf(std::uint64_t nanoseconds) {
  if (nanoseconds < kStepsADoubling) return nanoseconds;
  const int shift = std::bit_width(nanoseconds) - std::bit_width(static_cast<unsigned>(kStepsADoubling));
  return static_cast<std::size_t>(shift) * kStepsADoubling + (nanoseconds >> shift);
}

double Latencies::MiddleOf(std::size_t bucket) {
  if (bucket < 2 * kStepsADoubling) return static_cast<double>(bucket);
  const std::size_t shift = bucket / kStepsADoubling - 1;
  const std::size_t begin = (bucket - shift * kStepsADoubling) << shift;
  return static_cast<double>(begin) + static_cast<double>(std::uint64_t{1} << shift) / 2;
}

void Latencies::Add(std::int64_t nanoseconds) {
  const std::size_t bucket = BucketOf(static_cast<std::uint64_t>(std::max<std::int64_t>(nanoseconds, 0)));
  buckets_[std::min(bucket, kBuckets - 1)].fetch_add(1, std::memory_order_relaxed);
}

double Latencies::Percentile(double percent) const {
  std::uint64_t total = 0;
  for (const auto& bucket : buckets_) total += bucket.load(std::memory_order_relaxed);
  const double wanted = static_cast<double>(total) * percent / 100;
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i].load(std::memory_order_relaxed);
    if (seen > 0 && static_cast<double>(seen) >= wanted) return MiddleOf(i) / 1000;
  }
  return 0;
}

}  // namespace everfold::bench
