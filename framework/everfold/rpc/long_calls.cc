#include "everfold/rpc/long_calls.h"

#include <utility>

#include "everfold/base/error.h"

namespace everfold {

absl::Status ShuttingDown() {
  return Error(absl::StatusCode::kUnavailable, reason::kShuttingDown,
               "the server is shutting down; what was answered is durable, go on from there when it is back");
}

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
