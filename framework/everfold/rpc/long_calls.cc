#include "everfold/rpc/long_calls.h"

#include <utility>

namespace everfold {

std::uint64_t LongCalls::Add(std::function<void()> end) {
  MutexLock lock(&mutex_);
  if (ended_) end();
  calls_[++last_number_] = std::move(end);
  return last_number_;
}

void LongCalls::Remove(std::uint64_t number) {
  MutexLock lock(&mutex_);
  calls_.erase(number);
}

void LongCalls::EndAll() {
  MutexLock lock(&mutex_);
  ended_ = true;
  for (const auto& [number, end] : calls_) end();
}

}  // namespace everfold
