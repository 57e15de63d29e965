// What the callers of a closed loop append to: the store, or the bare ring that is its ceiling.
#pragma once

#include <cstddef>

#include "absl/status/status.h"

namespace everfold::bench {

class Caller {
 public:
  virtual ~Caller() = default;
  // Its commit is durable, or has failed.
  virtual void OnDurable(const absl::Status& status) = 0;
};

// Threading: thread-safe for distinct callers.
class AppendTarget {
 public:
  virtual ~AppendTarget() = default;
  // Makes the next commit of the caller of that number, and tells it once it is durable, on another thread or later on
  // this one. REQUIRES: nothing of that caller is outstanding; number < kMostCallers.
  virtual void Append(std::size_t number, Caller& caller) = 0;
  virtual std::size_t events_a_commit() const = 0;
};

inline constexpr std::size_t kMostCallers = 1024;

}  // namespace everfold::bench
