// How many commands may be under way at once, by count and by bytes: beyond it they are refused, before anything is
// done for them, so that memory stays bounded and the ones that were taken are answered in time.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"

namespace everfold {

// Threading: thread-safe. Lifetime: may go before its places, as in a crash.
class Admission {
  struct Taken {
    std::atomic<std::size_t> commands = 0;
    std::atomic<std::size_t> bytes = 0;
  };

 public:
  // Of one command; given back when it is destroyed.
  class Place {
   public:
    Place(Place&& other) noexcept = default;
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (taken_ != nullptr) Leave(*taken_, bytes_);
    }

   private:
    friend class Admission;
    Place(std::shared_ptr<Taken> taken, std::size_t bytes) : taken_(std::move(taken)), bytes_(bytes) {}
    std::shared_ptr<Taken> taken_;
    std::size_t bytes_;
  };

  Admission(std::size_t max_commands, std::size_t max_bytes);

  // RESOURCE_EXHAUSTED (OVERLOADED, with RetryInfo), which names the limit. One command alone is taken, whatever its
  // bytes.
  absl::StatusOr<Place> Enter(std::size_t bytes);

  std::size_t commands() const { return taken_->commands.load(std::memory_order_relaxed); }

 private:
  static void Leave(Taken& taken, std::size_t bytes);

  const std::size_t max_commands_;
  const std::size_t max_bytes_;
  // Made once: when they are needed there is no time to spare.
  const absl::Status too_many_;
  const absl::Status too_large_;
  const std::shared_ptr<Taken> taken_ = std::make_shared<Taken>();
};

}  // namespace everfold
