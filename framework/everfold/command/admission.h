// How many commands may be under way at once, by count and by bytes: beyond it they are refused, before anything is
// done for them, so that memory stays bounded and the ones that were taken are answered in time.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

#include "absl/status/statusor.h"

namespace everfold {

// Threading: thread-safe. Lifetime: outlives its places.
class Admission {
 public:
  // Of one command; given back when it is destroyed.
  class Place {
   public:
    Place(Place&& other) noexcept : of_(std::exchange(other.of_, nullptr)), bytes_(other.bytes_) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (of_ != nullptr) of_->Leave(bytes_);
    }

   private:
    friend class Admission;
    Place(Admission* of, std::size_t bytes) : of_(of), bytes_(bytes) {}
    Admission* of_;
    std::size_t bytes_;
  };

  Admission(std::size_t max_commands, std::size_t max_bytes);

  // RESOURCE_EXHAUSTED (OVERLOADED, with RetryInfo), which names the limit. One command alone is taken, whatever its
  // bytes.
  absl::StatusOr<Place> Enter(std::size_t bytes);

  std::size_t commands() const { return commands_.load(std::memory_order_relaxed); }

 private:
  void Leave(std::size_t bytes);

  const std::size_t max_commands_;
  const std::size_t max_bytes_;
  // Made once: when they are needed there is no time to spare.
  const absl::Status too_many_;
  const absl::Status too_large_;
  std::atomic<std::size_t> commands_ = 0;
  std::atomic<std::size_t> bytes_ = 0;
};

}  // namespace everfold
