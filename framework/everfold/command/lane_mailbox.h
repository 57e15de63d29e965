// What comes to a lane from other threads, and whether somebody runs it, or is to: one thread at a time does, and it is
// woken up once for all that came.
#pragma once

#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "everfold/base/mutex.h"
#include "everfold/command/routed_command.h"
#include "everfold/command/stream_slot.h"

namespace everfold {

struct LoadedState {
  StreamSlot* slot = nullptr;
  absl::StatusOr<AggregateState> state;
};

struct LaneMail {
  std::vector<RoutedCommandPtr> commands;
  std::vector<RoutedCommand*> answered;  // their appends
  std::vector<LoadedState> loaded;

  bool empty() const { return commands.empty() && answered.empty() && loaded.empty(); }
  void clear() {
    commands.clear();
    answered.clear();
    loaded.clear();
  }
};

// Threading: thread-safe.
class LaneMailbox {
 public:
  // Each returns true if nobody runs the lane, or is to: then the caller does, or has it run.
  bool Put(RoutedCommandPtr command) {
    MutexLock lock(&mutex_);
    mail_.commands.push_back(std::move(command));
    return WakeUp();
  }
  bool PutAnswered(RoutedCommand* command) {
    MutexLock lock(&mutex_);
    mail_.answered.push_back(command);
    return WakeUp();
  }
  bool Put(LoadedState loaded) {
    MutexLock lock(&mutex_);
    mail_.loaded.push_back(std::move(loaded));
    return WakeUp();
  }

  // Exchanges what is there for the empty `mail`, whose memory is used again.
  void Take(LaneMail& mail) {
    MutexLock lock(&mutex_);
    std::swap(mail_, mail);
  }
  // Of who runs the lane, when it has done so: true if it is to be run again, because more came or `has_more`.
  // Otherwise somebody else may run it from now on.
  bool GoesOn(bool has_more) {
    MutexLock lock(&mutex_);
    is_awake_ = has_more || !mail_.empty();
    return is_awake_;
  }

 private:
  bool WakeUp() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !std::exchange(is_awake_, true); }

  Mutex mutex_;
  LaneMail mail_ ABSL_GUARDED_BY(mutex_);
  bool is_awake_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace everfold
