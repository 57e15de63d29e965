#include "tools/import/call_window.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "everfold/base/check.h"

namespace everfold {
namespace {
constexpr absl::Duration kTellEvery = absl::Seconds(1);
}

struct CallWindow::Pending {
  Attempt attempt;
  Finish finish;
  absl::Duration pause;
};

CallWindow::CallWindow(Options options) : options_(std::move(options)), tell_at_(options_.now() + kTellEvery) {}

CallWindow::~CallWindow() { EVERFOLD_CHECK(calls_.empty()); }

void CallWindow::Call(Attempt attempt, Finish finish) {
  while (static_cast<int>(calls_.size()) >= options_.in_flight) HandleNext();
  if (calls_.empty() && !gave_up_) quiet_since_ = options_.now();
  auto call = std::make_unique<Pending>(
      Pending{.attempt = std::move(attempt), .finish = std::move(finish), .pause = options_.first_pause});
  Pending& pending = *calls_.emplace(call.get(), std::move(call)).first->second;
  Send(pending);
}

void CallWindow::Drain() {
  while (!calls_.empty()) HandleNext();
}

void CallWindow::Send(Pending& call) {
  call.attempt([this, &call](absl::Status status) {
    MutexLock lock(&mutex_);
    answers_.push_back({&call, std::move(status)});
  });
}

// Waits for the next answer or for the end of a pause, and does what follows from it.
void CallWindow::HandleNext() {
  const absl::Time due = paused_.empty() ? tell_at_ : std::min(paused_.begin()->first, tell_at_);
  const absl::Duration wait = std::max(due - options_.now(), absl::ZeroDuration());
  std::optional<Answered> answered;
  {
    MutexLock lock(&mutex_);
    if (mutex_.AwaitWithTimeout(absl::Condition(this, &CallWindow::HasAnswer), wait)) {
      answered = std::move(answers_.front());
      answers_.pop_front();
    }
  }
  if (answered.has_value()) HandleAnswer(*std::move(answered));
  TellOfWaiting();
  SendDue();
}

void CallWindow::TellOfWaiting() {
  const absl::Time now = options_.now();
  if (now < tell_at_) return;
  tell_at_ = now + kTellEvery;
  if (options_.on_wait) options_.on_wait(now - quiet_since_);
}

void CallWindow::SendDue() {
  const absl::Time now = options_.now();
  while (!paused_.empty() && paused_.begin()->first <= now) {
    Pending& call = *paused_.begin()->second;
    paused_.erase(paused_.begin());
    ++repeats_;
    Send(call);
  }
}

void CallWindow::HandleAnswer(Answered answered) {
  Pending& call = *answered.call;
  const absl::Time now = options_.now();
  const bool passing = IsPassing(answered.status);
  if (passing && now + call.pause < quiet_since_ + options_.give_up_after) {
    paused_.emplace(now + call.pause, &call);
    call.pause = std::min(call.pause * 2, options_.longest_pause);
    return;
  }
  gave_up_ = passing;
  if (!passing) quiet_since_ = now;
  const auto finished = calls_.extract(&call);
  finished.mapped()->finish(answered.status);
}

bool IsPassing(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kDeadlineExceeded:
      return true;
    default:
      return false;
  }
}

}  // namespace everfold
