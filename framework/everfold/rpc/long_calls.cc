#include "everfold/rpc/long_calls.h"

#include <utility>

#include "everfold/base/error.h"
#include "everfold/base/unavailable.h"

namespace everfold {

absl::Status ShuttingDown() {
  return Unavailable(reason::kShuttingDown,
                     "the server is shutting down; what was answered is durable, go on from there when it is back");
}

std::uint64_t LongCalls::Add(Call call) {
  MutexLock lock(&mutex_);
  if (ended_) call.end();
  calls_[++last_number_] = std::move(call);
  return last_number_;
}

void LongCalls::Remove(std::uint64_t number) {
  MutexLock lock(&mutex_);
  calls_.erase(number);
}

void LongCalls::EndAll() {
  MutexLock lock(&mutex_);
  ended_ = true;
  for (const auto& [number, call] : calls_) call.end();
}

void LongCalls::CancelAll() {
  MutexLock lock(&mutex_);
  for (const auto& [number, call] : calls_) {
    if (call.cancel) call.cancel();
  }
}

}  // namespace everfold
