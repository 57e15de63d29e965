// Appends that stand on each other: each was decided on a state that holds what those before it add, before anybody
// knew whether they would be made. When one of them is not made, no later one is either, even if somebody else has
// meanwhile brought the stream to the very version that it expects.
//
// Whoever decides ahead makes one chain, numbers the appends in it from 1 on, and hands them in in this order. After a
// broken link it begins a new chain.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace everfold {

// Threading: thread-safe.
class AppendChain {
 public:
  // The append of this number is not made. Keeps the least number.
  void BreakAt(std::uint64_t number) {
    std::uint64_t known = broken_at_.load(std::memory_order_relaxed);
    while (number < known && !broken_at_.compare_exchange_weak(known, number, std::memory_order_acq_rel)) continue;
  }
  // Whether one before it was not made.
  bool IsBrokenBefore(std::uint64_t number) const { return broken_at_.load(std::memory_order_acquire) < number; }

 private:
  std::atomic<std::uint64_t> broken_at_ = UINT64_MAX;
};

// An append's place in its chain.
struct ChainLink {
  std::shared_ptr<AppendChain> chain;  // nullptr: it stands on nothing that is not durable
  std::uint64_t number = 0;

  bool IsDropped() const { return chain != nullptr && chain->IsBrokenBefore(number); }
  // It is not made.
  void Break() const {
    if (chain != nullptr) chain->BreakAt(number);
  }
};

}  // namespace everfold
