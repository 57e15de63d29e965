// Many calls in flight, each repeated until it has an answer: the sending side of an import.
//
// A call that failed for a passing reason (the server restarts, is overloaded, or cannot tell the outcome) is sent
// again after a pause. That is safe where every call carries a request_id: the server answers a repeat with the first
// receipt. When no call at all has had an answer for `give_up_after`, those under way fail, and later ones have one
// attempt each until there is an answer again: one deadline for the server, however many calls wait for it.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "everfold/base/mutex.h"

namespace everfold {

// Threading: one thread calls Call and Drain, and runs all `finish`; an attempt may answer on any thread.
class CallWindow {
 public:
  struct Options {
    int in_flight = 64;
    absl::Duration first_pause = absl::Milliseconds(50);
    absl::Duration longest_pause = absl::Seconds(1);
    absl::Duration give_up_after = absl::Seconds(60);
    // Called about once a second while the window waits: how long it has been without an answer.
    std::function<void(absl::Duration quiet)> on_wait = nullptr;
    std::function<absl::Time()> now = absl::Now;
  };
  using Answer = std::function<void(absl::Status)>;
  // Starts one attempt, which answers once.
  using Attempt = absl::AnyInvocable<void(Answer)>;
  // Learns the outcome of the last attempt. It may send one further call, which takes the place of its own: a chain of
  // calls needs no more of the window than a single one.
  using Finish = absl::AnyInvocable<void(const absl::Status&)>;

  explicit CallWindow(Options options);
  // REQUIRES: drained.
  ~CallWindow();

  // Sends the call, once fewer than `in_flight` others are under way.
  void Call(Attempt attempt, Finish finish);
  // Returns when every call has finished.
  void Drain();

  // Attempts beyond each call's first.
  int repeats() const { return repeats_; }

 private:
  struct Pending;
  struct Answered {
    Pending* call;
    absl::Status status;
  };

  void Send(Pending& call);
  void HandleNext();
  void TellOfWaiting();
  void SendDue();
  void HandleAnswer(Answered answered);
  bool HasAnswer() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !answers_.empty(); }

  const Options options_;
  std::map<Pending*, std::unique_ptr<Pending>> calls_;
  std::multimap<absl::Time, Pending*> paused_;
  absl::Time quiet_since_;  // the last answer, or when the first call after an idle time began
  bool gave_up_ = false;    // since when there was no answer
  absl::Time tell_at_;
  int repeats_ = 0;
  Mutex mutex_;
  std::deque<Answered> answers_ ABSL_GUARDED_BY(mutex_);
};

// Whether the same call may succeed a little later.
bool IsPassing(const absl::Status& status);

}  // namespace everfold
