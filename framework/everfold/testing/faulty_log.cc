#include "everfold/testing/faulty_log.h"

#include <atomic>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "everfold/base/error.h"
#include "everfold/base/mutex.h"
#include "everfold/log/append_rules.h"

namespace everfold {
namespace {

absl::Status Refused() {
  return Error(absl::StatusCode::kResourceExhausted, reason::kDiskFull, "no room, says the fault layer");
}

}  // namespace

// What its steps share with the log, so that a step that runs after a crash finds it closed instead of gone.
//
// Appends end in the order of the calls, whoever decided their outcome: each waits in a queue until those before it
// have been told and its own outcome is there.
class FaultyLog::Session final : public std::enable_shared_from_this<Session> {
 public:
  Session(LogFaults faults, RandomSource& random, Executor& executor)
      : faults_(faults), random_(random), executor_(executor), strand_(executor.MakeStrand()) {}

  void Append(PartitionLog& inner, std::vector<ChunkAppend> group, Done done) {
    const std::uint64_t ticket = Enqueue(std::move(done));
    const absl::Status failure = admitted_.failure();
    const Fault fault = failure.ok() ? DrawFault() : Fault{failure, false};
    // A failure keeps later appends from the inner log as soon as it is decided, not only when it is told.
    if (!fault.status.ok()) admitted_.Fail(fault.status);
    if (!fault.appended) return Decide(ticket, fault.status);
    inner.Append(std::move(group), [self = shared_from_this(), ticket, fault](absl::Status status) {
      if (!status.ok()) self->admitted_.Fail(status);
      self->Decide(ticket, fault.status.ok() ? std::move(status) : fault.status);
    });
  }

  void Watch(PartitionLog& inner, Hint hint) {
    auto watcher = std::make_shared<Watcher>();
    watcher->hint = std::move(hint);
    watchers_.push_back(watcher);
    inner.Watch([self = shared_from_this(), watcher] { self->PassOn(watcher); });
  }

  // Calls `closed` once every append has been told.
  void WhenAllTold(Task closed) {
    strand_->Post([self = shared_from_this(), closed = std::move(closed)]() mutable {
      self->when_all_told_ = std::move(closed);
      self->TellInOrder();
    });
  }

  Strand& strand() const { return *strand_; }

  // A step on the strand, behind everything that was posted before.
  void PostLast(Task step) { strand_->Post(std::move(step)); }

  void EndSteps() {
    open_ = false;
    std::map<std::uint64_t, std::unique_ptr<Timer>> cancelled;
    MutexLock lock(&mutex_);
    cancelled.swap(delays_);
  }

 private:
  // What becomes of an append, and whether the inner log gets it.
  struct Fault {
    absl::Status status;
    bool appended;
  };
  struct Waiting {
    Done done;
    std::optional<absl::Status> outcome;
  };
  struct Watcher {
    Hint hint;
    std::atomic<bool> delayed = false;
  };

  bool Chance(unsigned per_mille) { return random_.Below(1000) < per_mille; }

  Fault DrawFault() {
    if (Chance(faults_.hint_spurious_per_mille)) HintForNoReason();
    if (Chance(faults_.refused_per_mille)) return {Refused(), false};
    if (Chance(faults_.unknown_but_appended_per_mille)) return {OutcomeUnknown("so says the fault layer"), true};
    if (Chance(faults_.unknown_and_lost_per_mille)) return {OutcomeUnknown("so says the fault layer"), false};
    return {absl::OkStatus(), true};
  }

  std::uint64_t Enqueue(Done done) {
    admitted_.Begin();
    told_.Begin();
    MutexLock lock(&mutex_);
    waiting_.push_back({std::move(done), std::nullopt});
    return first_waiting_ + waiting_.size() - 1;
  }

  // The outcome of an append is there; telling it may be delayed.
  void Decide(std::uint64_t ticket, absl::Status outcome) {
    Task arrive = [self = shared_from_this(), ticket, outcome = std::move(outcome)]() mutable {
      self->Arrive(ticket, std::move(outcome));
    };
    if (Chance(faults_.end_delayed_per_mille)) return PostDelayed(std::move(arrive));
    PostStep(std::move(arrive));
  }

  // On the strand, from here on.
  void Arrive(std::uint64_t ticket, absl::Status outcome) {
    {
      MutexLock lock(&mutex_);
      waiting_[ticket - first_waiting_].outcome = std::move(outcome);
    }
    TellInOrder();
  }

  void TellInOrder() {
    while (std::optional<Waiting> next = TakeDecided()) {
      next->done(told_.Settle(*std::move(next->outcome)));
      told_.End();
      admitted_.End();
    }
    MutexLock lock(&mutex_);
    if (waiting_.empty() && when_all_told_ != nullptr) strand_->Post(std::exchange(when_all_told_, nullptr));
  }

  std::optional<Waiting> TakeDecided() {
    MutexLock lock(&mutex_);
    if (waiting_.empty() || !waiting_.front().outcome.has_value()) return std::nullopt;
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    ++first_waiting_;
    return next;
  }

  void PassOn(const std::shared_ptr<Watcher>& watcher) {
    if (!open_ || watcher->delayed) return;  // the one that is on its way comes after this move as well
    if (!Chance(faults_.hint_delayed_per_mille)) return PostHint(watcher);
    watcher->delayed = true;
    PostDelayed([this, watcher] {
      watcher->delayed = false;
      watcher->hint();
    });
  }

  void HintForNoReason() {
    if (watchers_.empty()) return;
    PostHint(watchers_[random_.Below(watchers_.size())]);
  }

  void PostHint(const std::shared_ptr<Watcher>& watcher) {
    PostStep([watcher] { watcher->hint(); });
  }

  void PostStep(Task step) {
    strand_->Post([self = shared_from_this(), step = std::move(step)]() mutable {
      if (self->open_) step();
    });
  }

  void PostDelayed(Task step) {
    const auto longest = static_cast<std::uint64_t>(absl::ToInt64Microseconds(faults_.longest_delay));
    const absl::Duration delay = absl::Microseconds(static_cast<std::int64_t>(1 + random_.Below(longest)));
    MutexLock lock(&mutex_);
    const std::uint64_t number = next_delay_++;
    delays_[number] = executor_.PostAfter(delay, [weak = weak_from_this(), number, step = std::move(step)]() mutable {
      const auto self = weak.lock();
      if (self == nullptr) return;
      self->PostStep(std::move(step));
      self->Forget(number);
    });
  }

  void Forget(std::uint64_t delay) {
    MutexLock lock(&mutex_);
    delays_.erase(delay);
  }

  const LogFaults faults_;
  RandomSource& random_;
  Executor& executor_;
  const std::unique_ptr<Strand> strand_;
  OutstandingAppends admitted_;  // with failures as they are decided
  OutstandingAppends told_;      // with failures as they are told, in order
  std::atomic<bool> open_ = true;
  std::vector<std::shared_ptr<Watcher>> watchers_;  // changed before the first append only
  Task when_all_told_;                              // the strand's

  Mutex mutex_;
  std::deque<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t first_waiting_ ABSL_GUARDED_BY(mutex_) = 0;  // ticket of the first one that waits
  std::map<std::uint64_t, std::unique_ptr<Timer>> delays_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t next_delay_ ABSL_GUARDED_BY(mutex_) = 0;
};

FaultyLog::FaultyLog(PartitionLog& inner, LogFaults faults, RandomSource& random, Executor& executor)
    : inner_(inner), session_(std::make_shared<Session>(faults, random, executor)) {}

FaultyLog::~FaultyLog() { session_->EndSteps(); }

const LogIdentity& FaultyLog::identity() const { return inner_.identity(); }

Strand& FaultyLog::strand() const { return session_->strand(); }

bool FaultyLog::atomic_across_partitions() const { return inner_.atomic_across_partitions(); }

void FaultyLog::Append(std::vector<ChunkAppend> group, Done done) {
  CheckGroup(group, identity().partitions);
  session_->Append(inner_, std::move(group), std::move(done));
}

PartitionHead FaultyLog::Head(PartitionId partition) const { return inner_.Head(partition); }

absl::StatusOr<std::unique_ptr<ChunkCursor>> FaultyLog::Read(PartitionId partition, Offset after) const {
  return inner_.Read(partition, after);
}

void FaultyLog::Watch(Hint hint) { session_->Watch(inner_, std::move(hint)); }

void FaultyLog::Close(Done done) {
  session_->WhenAllTold([this, session = session_, done = std::move(done)]() mutable {
    inner_.Close([session, done = std::move(done)](absl::Status status) mutable {
      Session& last = *session;
      last.PostLast([session = std::move(session), status = std::move(status), done = std::move(done)]() mutable {
        session->EndSteps();
        done(std::move(status));
      });
    });
  });
}

}  // namespace everfold
