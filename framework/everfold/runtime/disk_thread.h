// A thread for work that blocks: on a disk, behind the ports of backends; or on a library that waits.
//
// Work that nobody waits for goes to one of low priority: it takes what the others leave of the processors, and does
// not hold up those whom an append waits for.
#pragma once

#include <deque>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "everfold/base/mutex.h"
#include "everfold/runtime/executor.h"

namespace everfold {

// Threading: thread-safe. The destructor runs what is posted, then ends the thread.
class DiskThread final : public Strand {
 public:
  enum class Priority { kNormal, kLow };

  // `name`, of at most 15 bytes, is what debuggers and top show.
  explicit DiskThread(std::string name, Priority priority = Priority::kNormal);
  ~DiskThread() override;

  void Post(Task task) override;

 private:
  void Run();
  static void LowerPriority();
  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_ || !tasks_.empty(); }

  Mutex mutex_;
  std::deque<Task> tasks_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace everfold
