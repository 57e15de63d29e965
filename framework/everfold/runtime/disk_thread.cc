#include "everfold/runtime/disk_thread.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <utility>

namespace everfold {

DiskThread::DiskThread(std::string name, Priority priority) : thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), name.c_str());
  if (priority == Priority::kLow) Post(LowerPriority);
}

// Of the calling thread alone: in Linux each has a nice value of its own. A wish: without it all work is done, too.
void DiskThread::LowerPriority() {
  constexpr int kNice = 10;
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
}

DiskThread::~DiskThread() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

void DiskThread::Post(Task task) {
  MutexLock lock(&mutex_);
  tasks_.push_back(std::move(task));
}

void DiskThread::Run() {
  while (true) {
    std::deque<Task> tasks;
    {
      MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &DiskThread::HasWork));
      if (tasks_.empty()) return;
      tasks.swap(tasks_);
    }
    // What a task holds goes with it, not with those behind it.
    for (Task& task : tasks) std::exchange(task, nullptr)();
  }
}

}  // namespace everfold
