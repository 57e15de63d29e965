// What comes to a lane from other threads: it is woken up once for all of it.
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
  // Each returns true if the lane must be woken up: nothing was there.
  bool Put(RoutedCommandPtr command) {
    MutexLock lock(&mutex_);
    const bool first = mail_.empty();
    mail_.commands.push_back(std::move(command));
    return first;
  }
  bool PutAnswered(RoutedCommand* command) {
    MutexLock lock(&mutex_);
    const bool first = mail_.empty();
    mail_.answered.push_back(command);
    return first;
  }
  bool Put(LoadedState loaded) {
    MutexLock lock(&mutex_);
    const bool first = mail_.empty();
    mail_.loaded.push_back(std::move(loaded));
    return first;
  }

  // Exchanges what is there for the empty `mail`, whose memory is used again.
  void Take(LaneMail& mail) {
    MutexLock lock(&mutex_);
    std::swap(mail_, mail);
  }

 private:
  Mutex mutex_;
  LaneMail mail_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace everfold
