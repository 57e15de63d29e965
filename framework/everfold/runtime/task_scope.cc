#include "everfold/runtime/task_scope.h"

#include <utility>

#include "everfold/base/check.h"

namespace everfold {

TaskScope::TaskScope() : state_(std::make_shared<State>()) {}

TaskScope::Guard::~Guard() {
  if (state_ == nullptr) return;  // moved from
  Task done;
  {
    MutexLock lock(&state_->mutex);
    if (--state_->active == 0 && state_->closed) done = std::exchange(state_->done, nullptr);
  }
  if (done != nullptr) done();
}

std::optional<TaskScope::Guard> TaskScope::Enter() {
  MutexLock lock(&state_->mutex);
  if (state_->closed) return std::nullopt;
  ++state_->active;
  return Guard(state_);
}

void TaskScope::Close(Task done) {
  {
    MutexLock lock(&state_->mutex);
    EVERFOLD_CHECK(!state_->closed);
    state_->closed = true;
    if (state_->active > 0) {
      state_->done = std::move(done);
      return;
    }
  }
  done();
}

bool TaskScope::closed() const {
  MutexLock lock(&state_->mutex);
  return state_->closed;
}

}  // namespace everfold
