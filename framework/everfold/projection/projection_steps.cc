#include "everfold/projection/projection_steps.h"

#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/unavailable.h"

namespace everfold {

absl::Status ProjectionSteps::Closing() const {
  return Unavailable(reason::kShuttingDown, absl::StrFormat("projection %s is closing", projection_));
}

void ProjectionSteps::Close(Task done) {
  scope_.Close([&executor = executor_, done = std::move(done)]() mutable { executor.Post(std::move(done)); });
}

void ProjectionSteps::Tell(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) const {
  if (logger_ == nullptr) return;
  std::vector<LogField> all = {{"projection", projection_}};
  all.insert(all.end(), fields.begin(), fields.end());
  logger_->Write(level, message, all);
}

void StepTimer::Start(absl::Duration delay, absl::AnyInvocable<void()> step) {
  MutexLock lock(&mutex_);
  if (steps_.closed()) return;
  timer_ = steps_.executor().PostAfter(delay, [scope = steps_.scope(), step = std::move(step)]() mutable {
    if (const std::optional<TaskScope::Guard> guard = scope.Enter(); guard.has_value()) step();
  });
}

void StepTimer::Stop() {
  MutexLock lock(&mutex_);
  timer_.reset();
}

}  // namespace everfold
