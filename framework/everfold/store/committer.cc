#include "everfold/store/committer.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/base/unavailable.h"

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

absl::Status Closed(const std::string& why) { return Unavailable(reason::kStoreClosed, "the store is closed: " + why); }

absl::Status StandsOnDropped() {
  return Error(absl::StatusCode::kAborted, reason::kPredecessorDropped,
               "an append that this one stands on was not made");
}

// True for a failure of the log after which it goes on: it had no room, or the group is larger than it takes, and
// nothing was written.
bool GoesOn(const absl::Status& failure) {
  return absl::IsResourceExhausted(failure) || absl::IsInvalidArgument(failure);
}

// What the caller of an append with this command id is told, if the log did not take its group.
absl::Status Told(const absl::Status& failure, const std::string& request_id) {
  if (GoesOn(failure)) return failure;
  if (absl::IsAborted(failure)) return Closed("another writer has appended to its log");
  const std::string text =
      absl::StrFormat("the append may be durable or not; repeat it with the same request_id after a restart: %s",
                      std::string(failure.message()));
  if (request_id.empty()) return Error(absl::StatusCode::kUnknown, reason::kOutcomeUnknown, text);
  return Error(absl::StatusCode::kUnknown, reason::kOutcomeUnknown, text, {{"request_id", request_id}});
}

}  // namespace

Committer::Committer(EventStoreOptions options, const CommitterParts& parts, std::uint64_t writer_epoch)
    : options_(std::move(options)),
      parts_(parts),
      strand_(parts.log.strand()),
      builder_(parts.log, *parts.index, parts.index->tail(), writer_epoch) {}

void Committer::Append(AppendRequest&& request, EventStore::AppendDone&& done) {
  const ChainLink link = request.link;
  auto asked = std::make_unique<Asked>();
  if (absl::Status status = Ask(std::move(request), *asked); !status.ok()) {
    link.Break();
    return Refuse(std::move(done), std::move(status));
  }
  asked->done = std::move(done);
  Enqueue(std::move(asked));
}

// Everything that can be found out on the caller's thread.
absl::Status Committer::Ask(AppendRequest&& request, Asked& asked) {
  PreparedAppend& prepared = asked.request;
  EVERFOLD_RETURN_IF_ERROR(PrepareAppend(std::move(request), parts_.log.identity().partitions, parts_.index->types(),
                                         options_.stored_names, prepared));
  if (prepared.condition != nullptr) {
    EVERFOLD_RETURN_IF_ERROR(
        CompareWithIndex(*prepared.condition, prepared.tenant, *parts_.index, parts_.durable->sequence()));
  }
  std::optional<TaskScope::Guard> guard = scope_.Enter();
  if (!guard.has_value()) return Closed("it is shutting down");
  asked.guard.emplace(*std::move(guard));
  return Admit(prepared);
}

void Committer::Enqueue(AskedPtr asked) {
  bool first = false;
  {
    MutexLock lock(&incoming_mutex_);
    first = incoming_.empty();
    incoming_.push_back(std::move(asked));
  }
  if (first) strand_.Post([self = shared_from_this()] { self->Take(); });
}

absl::Status Committer::Admit(const PreparedAppend& request) {
  const bool too_many = waiting_count_.fetch_add(1) >= options_.max_waiting_appends;
  const bool too_large = waiting_bytes_.fetch_add(request.bytes) + request.bytes > options_.max_waiting_bytes;
  if (!too_many && !too_large) return absl::OkStatus();
  Dismiss(request);
  return too_many ? Overloaded("appends", options_.max_waiting_appends)
                  : Overloaded("bytes of appends", options_.max_waiting_bytes);
}

void Committer::Dismiss(const PreparedAppend& request) {
  --waiting_count_;
  waiting_bytes_ -= request.bytes;
}

absl::Status Committer::health() const {
  MutexLock lock(&health_mutex_);
  return health_;
}

void Committer::SetHealth(absl::Status why) {
  MutexLock lock(&health_mutex_);
  health_ = std::move(why);
}

void Committer::Take() {
  std::vector<AskedPtr> taken;
  {
    MutexLock lock(&incoming_mutex_);
    taken.swap(incoming_);
  }
  std::vector<const EntryName*> streams;
  for (AskedPtr& asked : taken) {
    for (const PreparedStream& stream : asked->request.streams) streams.push_back(&stream.name);
    waiting_.push_back(std::move(asked));
  }
  parts_.index->PrefetchVersions(streams);
  GatherGroups();
}

void Committer::GatherGroups() {
  if (!health().ok()) return RefuseWaiting();
  while (!waiting_.empty() && failure_.ok() && WorthAGroup()) {
    if (parts_.index->full()) return WaitForIndex();
    GatherGroup();
  }
}

// While groups are on their way the next one gathers by itself, without a timer. It goes as soon as it is about as
// large as the one before: its place in the log is settled then, and it shares the next sync.
bool Committer::WorthAGroup() const {
  if (on_the_way_.empty()) return true;
  return on_the_way_.size() < options_.max_groups_on_the_way &&
         waiting_.size() >= std::max<std::size_t>(options_.min_group_commits, last_group_commits_ / 2);
}

void Committer::GatherGroup() {
  std::vector<AskedPtr> asked = FillGroup();
  if (!builder_.empty()) return SendGroup(std::move(asked));
  // Nothing is to be written; but what was found may depend on groups that are on their way.
  if (on_the_way_.empty()) return Deliver(std::move(asked));
  for (AskedPtr& it : asked) on_the_way_.back().asked.push_back(std::move(it));
}

std::vector<Committer::AskedPtr> Committer::FillGroup() {
  std::vector<AskedPtr> asked;
  asked.reserve(std::min(waiting_.size(), options_.max_group_commits));
  const absl::Time now = parts_.clock.Now();
  while (!waiting_.empty() && builder_.commits() < options_.max_group_commits &&
         (builder_.empty() || builder_.bytes() + waiting_.front()->request.bytes <= options_.max_group_bytes)) {
    Asked& next = *asked.emplace_back(std::move(waiting_.front()));
    waiting_.pop_front();
    Dismiss(next.request);
    next.refused = next.request.link.IsDropped() ? StandsOnDropped() : builder_.Add(next.request, now);
    // A repeat adds nothing: who decided on what it would have added was wrong.
    if (!next.refused.ok() || next.request.result.repeated) next.request.link.Break();
  }
  return asked;
}

void Committer::SendGroup(std::vector<AskedPtr> asked) {
  last_group_commits_ = builder_.commits();
  on_the_way_.push_back({.group = builder_.Finish(), .asked = std::move(asked)});
  parts_.log.Append(on_the_way_.back().group.chunks,
                    [self = shared_from_this()](absl::Status status) { self->OnLogged(std::move(status)); });
}

// Groups end in the order in which they were sent.
void Committer::OnLogged(absl::Status status) {
  if (status.ok()) {
    OnDurable();
  } else {
    OnFailed(status);
  }
  GatherGroups();
}

void Committer::OnDurable() {
  OnTheWay ended = std::move(on_the_way_.front());
  on_the_way_.pop_front();
  parts_.durable->Publish(ended.group.tail.heads, ended.group.tail.last_sequence,
                          [this, &ended] { AddToIndex(ended.group); });
  builder_.Settle(ended.group);
  Deliver(std::move(ended.asked));
}

void Committer::AddToIndex(const CommitGroup& group) {
  if (group.plain) return parts_.index->AddWritten(group.written);
  std::vector<std::string_view> chunks;
  for (const ChunkAppend& chunk : group.chunks) chunks.push_back(*chunk.bytes);
  // A chunk that does not follow is a bug of ours here: the group was built on this index.
  const absl::Status added = parts_.index->AddGroup(chunks, group.tail.last_sequence, group.tail.last_recorded_at);
  EVERFOLD_CHECK(added.ok());
}

// Everything in the group gets the same answer, also what was refused or repeated: it may have been so only because of
// a commit that is on its way. The log lets the groups behind it fail too.
void Committer::OnFailed(const absl::Status& status) {
  if (failure_.ok()) failure_ = status;
  const auto next = std::find_if(on_the_way_.begin(), on_the_way_.end(), [](const OnTheWay& it) { return !it.failed; });
  EVERFOLD_CHECK(next != on_the_way_.end());
  next->failed = true;
  for (const AskedPtr& asked : next->asked) {
    asked->refused = Told(status, asked->request.command.id);
    asked->request.link.Break();
  }
  if (on_the_way_.back().failed) Recover();
}

// All groups that were on their way have failed.
void Committer::Recover() {
  std::deque<OnTheWay> failed = std::exchange(on_the_way_, {});
  builder_.Abandon();
  if (!GoesOn(failure_)) SetHealth(failure_);
  failure_ = absl::OkStatus();
  for (OnTheWay& it : failed) Deliver(std::move(it.asked));
}

// The intake is slowed down while the index cannot write what it has in memory.
void Committer::WaitForIndex() {
  if (absl::Status broken = parts_.index->health(); !broken.ok()) return CloseForIndex(std::move(broken));
  if (waiting_for_index_) return;
  waiting_for_index_ = true;
  parts_.index->WhenRoom([self = shared_from_this()] {
    Strand& strand = self->strand_;
    strand.Post([self] {
      self->waiting_for_index_ = false;
      self->GatherGroups();
    });
  });
}

// There will never be room again.
void Committer::CloseForIndex(absl::Status broken) {
  SetHealth(std::move(broken));
  RefuseWaiting();
}

void Committer::RefuseWaiting() {
  const absl::Status why = Closed(std::string(health().message()));
  std::vector<AskedPtr> refused;
  for (AskedPtr& asked : waiting_) {
    Dismiss(asked->request);
    asked->refused = why;
    asked->request.link.Break();
    refused.push_back(std::move(asked));
  }
  waiting_.clear();
  Deliver(std::move(refused));
}

void Committer::Close(Task done) { scope_.Close(std::move(done)); }

// On the executor, and not on the strand: whatever the callers do then does not hold up the next group. Where there is
// none, and a single caller waits, a change of threads would be a tenth of its time.
void Committer::Deliver(std::vector<AskedPtr> answered) {
  if (answered.empty()) return;
  // Who is refused may be told more, which is read from the disk first, and for which nobody else is to wait.
  const bool is_single = answered.size() == 1 && answered[0]->refused.ok();
  if (is_single && waiting_.empty() && on_the_way_.empty()) return Tell(*answered[0]);
  std::vector<AskedPtr> refused;
  for (AskedPtr& it : answered) {
    if (!it->refused.ok()) refused.push_back(std::move(it));
  }
  if (!refused.empty()) std::erase(answered, nullptr);
  for (std::vector<AskedPtr>* const all : {&answered, &refused}) {
    if (all->empty()) continue;
    parts_.executor.Post([all = std::move(*all)]() mutable {
      for (AskedPtr& it : all) Tell(*std::exchange(it, nullptr));
    });
  }
}

void Committer::Tell(Asked& answered) {
  if (answered.refused.ok()) {
    answered.done(std::move(answered.request.result));
  } else {
    answered.done(std::move(answered.refused));
  }
}

void Committer::Refuse(EventStore::AppendDone done, absl::Status why) {
  parts_.executor.Post([done = std::move(done), why = std::move(why)]() mutable { done(std::move(why)); });
}

}  // namespace everfold
