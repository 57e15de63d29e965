#include "everfold/runtime/disk_thread.h"

#include <pthread.h>

#include <utility>

namespace everfold {

DiskThread::DiskThread(std::string name) : thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), name.c_str());
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
