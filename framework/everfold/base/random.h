// Randomness as a dependency, for the same reason as Clock: one seed replays a whole run.
#pragma once

#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "everfold/base/mutex.h"

namespace everfold {

// Threading: implementations are thread-safe.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual std::uint64_t Next() = 0;

  // Uniform in [0, bound). REQUIRES: bound > 0.
  std::uint64_t Below(std::uint64_t bound);
  // `count` random bytes.
  std::string Bytes(std::size_t count);
};

// The operating system's generator; fit for identifiers and keys.
class SystemRandom final : public RandomSource {
 public:
  std::uint64_t Next() override;
};

// SplitMix64 (Steele, Lea, Flood 2014): the same seed gives the same numbers on every machine. For tests only.
class SeededRandom final : public RandomSource {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Next() override;

 private:
  Mutex mutex_;
  std::uint64_t state_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace everfold
