#include "everfold/store/committer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
#include "everfold/base/error.h"

namespace everfold {
namespace {

constexpr absl::Duration kRetryWhenOverloaded = absl::Milliseconds(20);

absl::Status Overloaded(const char* what, std::size_t limit) {
  absl::Status status =
      Error(absl::StatusCode::kResourceExhausted, reason::kOverloaded,
            absl::StrFormat("%d %s are waiting already, the limit", limit, what), {{"limit", std::to_string(limit)}});
  AddRetryInfo(status, kRetryWhenOverloaded);
  return status;
}

absl::Status Closed(const std::string& why) {
  return Error(absl::StatusCode::kUnavailable, reason::kStoreClosed, "the store is closed: " + why);
}

// What a caller is told when the log failed while its commit was under way.
absl::Status OutcomeUnknown(const absl::Status& cause) {
  return Error(
      absl::StatusCode::kUnknown, reason::kOutcomeUnknown,
      absl::StrFormat("the append may be durable or not; repeat it with the same request_id after a restart: %s",
                      std::string(cause.message())));
}

}  // namespace

Committer::Committer(EventStoreOptions options, PartitionLog& log, Executor& executor, const Clock& clock,
                     std::uint64_t writer_epoch, std::shared_ptr<StoreIndex> index,
                     std::shared_ptr<DurableHeads> durable, const LogTail& tail)
    : options_(options),
      log_(log),
      executor_(executor),
      clock_(clock),
      writer_epoch_(writer_epoch),
      index_(std::move(index)),
      durable_(std::move(durable)),
      strand_(executor.MakeStrand()),
      tail_(tail) {}

void Committer::Append(AppendRequest request, EventStore::AppendDone done) {
  if (absl::Status status = ValidateAppend(request); !status.ok()) return Refuse(std::move(done), std::move(status));
  std::optional<TaskScope::Guard> guard = scope_.Enter();
  if (!guard.has_value()) return Refuse(std::move(done), Closed("it is shutting down"));
  if (absl::Status status = Admit(request); !status.ok()) return Refuse(std::move(done), std::move(status));
  strand_->Post([self = shared_from_this(),
                 waiting = Waiting{std::move(request), {std::move(done), *std::move(guard)}}]() mutable {
    self->Enqueue(std::move(waiting));
  });
}

absl::Status Committer::Admit(const AppendRequest& request) {
  const std::size_t bytes = PayloadBytesOf(request);
  const bool too_many = waiting_count_.fetch_add(1) >= options_.max_waiting_appends;
  const bool too_large = waiting_bytes_.fetch_add(bytes) + bytes > options_.max_waiting_bytes;
  if (!too_many && !too_large) return absl::OkStatus();
  Dismiss(request);
  return too_many ? Overloaded("appends", options_.max_waiting_appends)
                  : Overloaded("bytes of appends", options_.max_waiting_bytes);
}

void Committer::Dismiss(const AppendRequest& request) {
  --waiting_count_;
  waiting_bytes_ -= PayloadBytesOf(request);
}

absl::Status Committer::health() const {
  MutexLock lock(&mutex_);
  return health_;
}

void Committer::Enqueue(Waiting waiting) {
  waiting_.push_back(std::move(waiting));
  if (!health().ok()) return RefuseWaiting();
  if (!group_in_flight_) GatherGroup();
}

// Takes whatever is waiting: while a group is being made durable the next one gathers by itself, without a timer.
void Committer::GatherGroup() {
  while (!waiting_.empty()) {
    auto group = std::make_shared<CommitGroup>(*index_, tail_.heads, writer_epoch_, tail_.last_sequence);
    std::vector<Answer> answers = FillGroup(*group);
    if (group->empty()) {
      Deliver(std::move(answers));
      continue;
    }
    group_in_flight_ = true;
    log_.Append(group->EncodeChunks(),
                [self = shared_from_this(), group, answers = std::move(answers)](absl::Status status) mutable {
                  Strand& strand = *self->strand_;
                  strand.Post([self = std::move(self), group = std::move(group), answers = std::move(answers),
                               status = std::move(status)]() mutable {
                    self->OnLogged(group, std::move(answers), std::move(status));
                  });
                });
    return;
  }
}

std::vector<Committer::Answer> Committer::FillGroup(CommitGroup& group) {
  std::vector<Answer> answers;
  while (!waiting_.empty() && group.commits() < options_.max_group_commits &&
         group.payload_bytes() < options_.max_group_bytes) {
    Waiting waiting = std::move(waiting_.front());
    waiting_.pop_front();
    Dismiss(waiting.request);
    Outcome outcome = group.Add(waiting.request, NextRecordedAt(waiting.request));
    answers.push_back({std::move(waiting.caller), std::move(outcome)});
  }
  return answers;
}

absl::Time Committer::NextRecordedAt(const AppendRequest& request) {
  const absl::Time now = absl::FromUnixMicros(absl::ToUnixMicros(clock_.Now()));
  tail_.last_recorded_at = std::max({tail_.last_recorded_at, now, request.not_before});
  return tail_.last_recorded_at;
}

void Committer::OnLogged(const std::shared_ptr<CommitGroup>& group, std::vector<Answer> answers, absl::Status status) {
  group_in_flight_ = false;
  if (status.ok()) {
    Publish(*group);
  } else {
    Fail(answers, status);
  }
  Deliver(std::move(answers));
  if (!health().ok()) return RefuseWaiting();
  GatherGroup();
}

void Committer::Publish(const CommitGroup& group) {
  // A version that does not follow is a bug of ours here: the group was checked against this index.
  for (const Chunk& chunk : group.chunks()) EVERFOLD_CHECK(index_->Add(chunk).ok());
  tail_.heads = group.heads();
  tail_.last_sequence = group.last_sequence();
  durable_->Publish(tail_.heads, tail_.last_sequence);
}

// Everything in the group gets the same answer, also what was refused or repeated: it may have been so only because of
// a commit of the group.
void Committer::Fail(std::vector<Answer>& answers, const absl::Status& status) {
  absl::Status told = status;
  if (status.code() == absl::StatusCode::kAborted) {
    told = Closed("another writer has appended to its log");
  } else if (status.code() != absl::StatusCode::kResourceExhausted) {
    told = OutcomeUnknown(status);
  }
  for (Answer& answer : answers) answer.outcome = told;
  if (status.code() == absl::StatusCode::kResourceExhausted) return;  // nothing was written; the store goes on
  MutexLock lock(&mutex_);
  health_ = status;
}

void Committer::RefuseWaiting() {
  const absl::Status why = Closed(std::string(health().message()));
  std::vector<Answer> answers;
  for (Waiting& waiting : waiting_) {
    Dismiss(waiting.request);
    answers.push_back({std::move(waiting.caller), why});
  }
  waiting_.clear();
  Deliver(std::move(answers));
}

void Committer::Close(Task done) { scope_.Close(std::move(done)); }

// On the executor, but not on the strand: whatever the callers do then does not hold up the next group.
void Committer::Deliver(std::vector<Answer> answers) {
  if (answers.empty()) return;
  executor_.Post([answers = std::move(answers)]() mutable {
    for (Answer& answer : answers) answer.caller.done(std::move(answer.outcome));
  });
}

void Committer::Refuse(EventStore::AppendDone done, absl::Status why) {
  executor_.Post([done = std::move(done), why = std::move(why)]() mutable { done(std::move(why)); });
}

}  // namespace everfold
