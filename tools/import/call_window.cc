#include "tools/import/call_window.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "everfold/base/check.h"

namespace everfold {

struct CallWindow::Pending {
  Attempt attempt;
  Finish finish;
  absl::Time give_up;
  absl::Duration pause;
};

CallWindow::CallWindow(Options options) : options_(options) {}

CallWindow::~CallWindow() { EVERFOLD_CHECK(calls_.empty()); }

void CallWindow::Call(Attempt attempt, Finish finish) {
  while (static_cast<int>(calls_.size()) >= options_.in_flight) HandleNext();
  auto call = std::make_unique<Pending>(Pending{.attempt = std::move(attempt),
                                                .finish = std::move(finish),
                                                .give_up = absl::Now() + options_.give_up_after,
                                                .pause = options_.first_pause});
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
  const absl::Time due = paused_.empty() ? absl::InfiniteFuture() : paused_.begin()->first;
  std::optional<Answered> answered;
  {
    MutexLock lock(&mutex_);
    if (mutex_.AwaitWithDeadline(absl::Condition(this, &CallWindow::HasAnswer), due)) {
      answered = std::move(answers_.front());
      answers_.pop_front();
    }
  }
  if (answered.has_value()) HandleAnswer(*std::move(answered));
  SendDue();
}

void CallWindow::SendDue() {
  const absl::Time now = absl::Now();
  while (!paused_.empty() && paused_.begin()->first <= now) {
    Pending& call = *paused_.begin()->second;
    paused_.erase(paused_.begin());
    ++repeats_;
    Send(call);
  }
}

void CallWindow::HandleAnswer(Answered answered) {
  Pending& call = *answered.call;
  const absl::Time again = absl::Now() + call.pause;
  if (IsPassing(answered.status) && again < call.give_up) {
    call.pause = std::min(call.pause * 2, options_.longest_pause);
    paused_.emplace(again, &call);
    return;
  }
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
