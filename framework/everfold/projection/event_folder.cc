#include "everfold/projection/event_folder.h"

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/error_message.h"
#include "everfold/base/status.h"
#include "everfold/event/event_key.h"
#include "everfold/projection/partition_turns.h"

namespace everfold {
namespace {

constexpr std::size_t kRetriesATransaction = 500;
// Of a transaction that is held open: what it costs to take back, and what a restart has to do again.
constexpr std::uint64_t kMaxBatchesOfTransaction = 50;
constexpr std::size_t kMaxUnwrittenBytes = 128 << 20;
// Of rows that stay in memory from one transaction to the next.
constexpr std::size_t kMaxCachedBytes = 64 << 20;
constexpr std::size_t kMaxCachedBytesOfBuild = 256 << 20;

std::string PlaceOf(const RecordedEvent& event) {
  return absl::StrFormat("at %s, offset %d of partition %d (%s version %d, sequence %d)", event.event.type,
                         event.position.offset.value(), event.position.partition.value(),
                         event.stream.stream.ToString(), event.version.value(), event.commit.sequence.value());
}

std::string TextOf(const RecordedEvent& event, const absl::Status& error) {
  return PlaceOf(event) + ": " + std::string(error.message());
}

EventTally Sum(const std::vector<PartitionTally>& tallies, EventTally PartitionTally::*part) {
  EventTally sum;
  for (const PartitionTally& tally : tallies) sum += tally.*part;
  return sum;
}

}  // namespace

EventFolder::EventFolder(std::unique_ptr<ReadModelFile> file, const ProjectionType& type, const EventFeed& feed)
    : file_(std::move(file)), type_(type), feed_(feed), tallies_(file_->tallies()) {
  for (const auto& [name, handler] : type.handlers) routes_.emplace(name, RouteOf(type, name));
  for (const auto& [name, form] : type.stored_forms) routes_.emplace(name, RouteOf(type, name));
}

absl::StatusOr<std::unique_ptr<EventFolder>> EventFolder::Open(std::unique_ptr<ReadModelFile> file,
                                                               const ProjectionType& type, const EventFeed& feed) {
  std::unique_ptr<EventFolder> folder(new EventFolder(std::move(file), type, feed));
  auto subscription = feed.Subscribe(folder->checkpoint(), SubscriptionOf(type));
  if (!subscription.ok()) return Annotate(folder->path(), subscription.status());
  folder->subscription_ = *std::move(subscription);
  const absl::StatusOr<std::vector<ParkedKey>> keys = folder->DescribeParked();
  if (!keys.ok()) return Annotate(folder->path(), keys.status());
  for (const ParkedKey& key : *keys) folder->keys_.insert(key.key);
  const absl::Status dropped = folder->ApplyDrops();
  if (ReasonOf(dropped) == reason::kReadModelDamaged) return Annotate(folder->path(), dropped);
  EVERFOLD_RETURN_IF_ERROR(dropped);
  return folder;
}

// Those that were decided on and not applied, because the process ended in between.
absl::Status EventFolder::ApplyDrops() {
  EVERFOLD_ASSIGN_OR_RETURN(dropped_, feed_.DroppedFrom(type_.name));
  for (const EventName& event : DroppedEvents(dropped_)) EVERFOLD_RETURN_IF_ERROR(Drop(event));
  return absl::OkStatus();
}

const Checkpoint& EventFolder::position() const {
  return subscription_ == nullptr ? checkpoint() : subscription_->checkpoint();
}

absl::StatusOr<PullResult> EventFolder::FoldBatch(std::size_t max_events) {
  return Fold(max_events, {.holds = false, .max_cached_bytes = kMaxCachedBytes});
}

absl::StatusOr<PullResult> EventFolder::FoldFarBatch(std::size_t max_events) {
  return Fold(max_events, {.holds = false, .max_cached_bytes = kMaxCachedBytesOfBuild});
}

absl::StatusOr<PullResult> EventFolder::FoldOn(std::size_t max_events) {
  return Fold(max_events, {.holds = true, .max_cached_bytes = kMaxCachedBytesOfBuild});
}

absl::StatusOr<PullResult> EventFolder::Fold(std::size_t max_events, const Manner& manner) {
  in_parts_ = events_in_parts_ > 0;
  const std::uint64_t held = in_transaction_ ? events_in_transaction_ : 0;
  absl::StatusOr<PullResult> folded = FoldOnce(max_events, manner);
  if (!folded.ok() && event_failed_ && !in_parts_) {
    events_in_parts_ = held + max_events;  // as many as were taken back
    in_parts_ = true;
    folded = FoldOnce(max_events, manner);
  }
  if (in_parts_ && folded.ok()) events_in_parts_ -= std::min<std::uint64_t>(events_in_parts_, folded->events);
  if (folded.ok() && folded->caught_up) events_in_parts_ = 0;
  return folded;
}

// Goes on from where it is, in the order that is wanted now.
absl::Status EventFolder::Subscribe(bool in_turns) {
  if (subscription_ != nullptr && in_turns == in_turns_) return absl::OkStatus();
  SubscriptionOptions options = SubscriptionOf(type_);
  options.upto = end_;
  auto subscribed = in_turns ? PartitionTurns::Start(feed_, position(), options) : feed_.Subscribe(position(), options);
  EVERFOLD_RETURN_IF_ERROR(subscribed.status());
  subscription_ = *std::move(subscribed);
  in_turns_ = in_turns;
  return absl::OkStatus();
}

absl::Status EventFolder::FoldTo(const Checkpoint& end, std::size_t max_batch_events) {
  EVERFOLD_RETURN_IF_ERROR(CommitHeld());
  end_ = end;
  subscription_.reset();
  const absl::Cleanup go_on = [this] {
    end_ = {};
    subscription_.reset();
  };
  for (PullResult folded; !folded.caught_up;) {
    EVERFOLD_ASSIGN_OR_RETURN(folded, FoldBatch(max_batch_events));
  }
  return absl::OkStatus();
}

absl::StatusOr<PullResult> EventFolder::FoldOnce(std::size_t max_events, const Manner& manner) {
  const bool holds = manner.holds;
  // What nobody queries yet may be folded in any order that the handlers permit.
  EVERFOLD_RETURN_IF_ERROR(Subscribe(/*in_turns=*/holds && type_.order == ProjectionOrder::kPerPartition));
  if (!in_transaction_) EVERFOLD_RETURN_IF_ERROR(Begin(in_parts_ ? 0 : manner.max_cached_bytes));
  absl::StatusOr<PullResult> pulled =
      subscription_->Pull(max_events, [this](const RecordedEvent& event) { return FoldEvent(event); });
  if (!pulled.ok()) {
    TakeBack();
    return pulled;
  }
  events_in_transaction_ += pulled->events;
  if (!pulled->moved && !in_transaction_) {
    file_->EndUnchanged();
    return pulled;
  }
  in_transaction_ = true;
  const bool is_full = events_in_transaction_ >= kMaxBatchesOfTransaction * max_events ||
                       file_->unwritten_bytes() >= kMaxUnwrittenBytes ||
                       file_->cached_bytes() >= kMaxUnwrittenBytes + manner.max_cached_bytes;
  if (holds && !in_parts_ && !pulled->caught_up && !is_full) return pulled;
  EVERFOLD_RETURN_IF_ERROR(CommitHeld());
  return pulled;
}

absl::Status EventFolder::Begin(std::size_t max_cached_bytes) {
  event_failed_ = false;
  new_keys_.clear();
  tallies_ = file_->tallies();
  events_in_transaction_ = 0;
  file_->CacheRows(max_cached_bytes);
  return file_->Begin();
}

// What is held open, if anything is.
absl::Status EventFolder::CommitHeld() {
  return in_transaction_ ? Commit(subscription_->checkpoint()) : absl::OkStatus();
}

absl::Status EventFolder::Commit(const Checkpoint& checkpoint) {
  absl::Status committed = file_->Commit(checkpoint, tallies_);
  // Rows that are written only now may break what they would have broken in their handlers.
  event_failed_ =
      !committed.ok() && !in_parts_ && (absl::IsFailedPrecondition(committed) || absl::IsInvalidArgument(committed));
  if (!committed.ok()) TakeBack();
  in_transaction_ = false;
  return committed;
}

void EventFolder::TakeBack() {
  file_->Rollback();
  in_transaction_ = false;
  for (const std::string& key : new_keys_) keys_.erase(key);
  subscription_.reset();
}

absl::Status EventFolder::FoldEvent(const RecordedEvent& event) {
  const auto route = routes_.find(event.event.type);
  if (route == routes_.end()) return absl::OkStatus();
  folded_upto_ = std::max(folded_upto_, event.commit.recorded_at);  // which is less in the next partition
  if (!dropped_.empty() && dropped_.contains({event.stream.stream, event.version})) {
    TallyAt(event.position).dropped += TallyOf(event);
    return absl::OkStatus();
  }
  if (!keys_.empty()) {
    std::string key = KeyOfEvent(route->second, event);
    // One whose key could not be told is parked with its stream, and holds what follows it there.
    if (!keys_.contains(key) && route->second.key != nullptr) key = KeyOfStream(event.stream.stream);
    if (keys_.contains(key)) {
      const EventTally tally = TallyOf(event);
      TallyAt(event.position).parked += tally;
      return file_->parked().AddEvent(key, event, tally);
    }
  }
  return in_parts_ ? FoldInPart(route->second, event) : FoldWhole(route->second, event);
}

absl::Status EventFolder::FoldWhole(const EventRoute& route, const RecordedEvent& event) {
  const absl::Status handled = HandleEvent(route, event, file_->rows());
  if (!handled.ok()) {
    event_failed_ = IsOfTheEvent(handled);
    return Annotate(PlaceOf(event), handled);
  }
  TallyAt(event.position).applied += TallyOf(event);
  return absl::OkStatus();
}

absl::Status EventFolder::FoldInPart(const EventRoute& route, const RecordedEvent& event) {
  EVERFOLD_RETURN_IF_ERROR(file_->BeginPart());
  const absl::Status handled = HandleEvent(route, event, file_->rows());
  if (handled.ok()) {
    TallyAt(event.position).applied += TallyOf(event);
    return file_->EndPart();
  }
  if (!IsOfTheEvent(handled)) return Annotate(PlaceOf(event), handled);
  EVERFOLD_RETURN_IF_ERROR(file_->TakeBackPart());
  return Park(route, event, handled);
}

absl::Status EventFolder::Park(const EventRoute& route, const RecordedEvent& event, const absl::Status& error) {
  const std::string key = KeyOfEvent(route, event);
  EVERFOLD_RETURN_IF_ERROR(CheckRoom(key, Annotate(PlaceOf(event), error)));
  EVERFOLD_RETURN_IF_ERROR(file_->parked().AddKey(key, event.commit.recorded_at, TextOf(event, error)));
  const EventTally tally = TallyOf(event);
  EVERFOLD_RETURN_IF_ERROR(file_->parked().AddEvent(key, event, tally));
  TallyAt(event.position).parked += tally;
  keys_.insert(key);
  new_keys_.push_back(key);
  return absl::OkStatus();
}

absl::Status EventFolder::CheckRoom(const std::string& key, const absl::Status& error) const {
  const std::uint64_t parked = Sum(tallies_, &PartitionTally::parked).count;
  const std::uint64_t applied = Sum(tallies_, &PartitionTally::applied).count;
  const bool large_share = keys_.size() >= kMinKeysOfShare && parked * 100 > (parked + applied) * kMaxParkedPercent;
  if (keys_.size() < kMaxParkedKeys && !large_share) return absl::OkStatus();
  std::string text = absl::StrFormat(
      "%d keys are parked with %d of %d events; at most %d keys, and from %d keys on at most %d%% of the events, are "
      "parked before it stops. %s would be the next, %s",
      keys_.size(), parked, parked + applied, kMaxParkedKeys, kMinKeysOfShare, kMaxParkedPercent, key,
      std::string(error.message()));
  if (!new_keys_.empty()) {
    absl::StrAppendFormat(&text, "; %d of the keys are of the transaction that is taken back, and are not listed",
                          new_keys_.size());
  }
  return Error(absl::StatusCode::kFailedPrecondition, reason::kReadModelStopped, text);
}

bool EventFolder::IsOfTheEvent(const absl::Status& error) {
  if (file_->rows().status().ok()) return !absl::IsResourceExhausted(error);  // the handler's own
  return absl::IsFailedPrecondition(error) || absl::IsInvalidArgument(error);
}

absl::StatusOr<std::uint64_t> EventFolder::Retry(const std::string& key) {
  if (!keys_.contains(key)) {
    return Error(absl::StatusCode::kNotFound, reason::kNotParked,
                 absl::StrFormat("projection %s has no parked key \"%s\"", type_.name, key));
  }
  for (bool go_on = true; go_on;) EVERFOLD_RETURN_IF_ERROR(RetrySome(key, go_on));
  EVERFOLD_ASSIGN_OR_RETURN(const std::optional<ParkedKey> left, DescribeParked(key));
  return left.has_value() ? left->events : 0;
}

// One transaction. `go_on` is true if it has handled all it took, and there may be more.
absl::Status EventFolder::RetrySome(const std::string& key, bool& go_on) {
  EVERFOLD_RETURN_IF_ERROR(CommitHeld());
  EVERFOLD_RETURN_IF_ERROR(Begin(/*max_cached_bytes=*/0));
  absl::Status status;
  absl::Status handled;
  const absl::StatusOr<std::vector<ParkedEvent>> events = file_->parked().EventsOf(key, kRetriesATransaction);
  status.Update(events.status());
  for (std::size_t i = 0; status.ok() && handled.ok() && i < events->size(); ++i) {
    status = RetryOne((*events)[i], handled);
  }
  const bool is_last = status.ok() && handled.ok() && events->size() < kRetriesATransaction;
  if (status.ok() && !handled.ok()) status = file_->parked().FailAgain(key, std::string(handled.message()));
  if (is_last) status = file_->parked().RemoveKey(key);
  if (!status.ok()) {
    TakeBack();
    return status;
  }
  EVERFOLD_RETURN_IF_ERROR(Commit(checkpoint()));
  if (is_last) keys_.erase(key);
  go_on = handled.ok() && !is_last;
  return absl::OkStatus();
}

// `handled` is what the handler came to; the result is that of the file and of the log.
absl::Status EventFolder::RetryOne(const ParkedEvent& parked, absl::Status& handled) {
  if (dropped_.contains(NameOf(parked))) return Settle(parked, &PartitionTally::dropped);
  EVERFOLD_RETURN_IF_ERROR(file_->BeginPart());
  handled = Error(absl::StatusCode::kNotFound, reason::kNotParked,
                  absl::StrFormat("offset %d of partition %d (%s version %d): the event is not in the log any more",
                                  parked.position.offset.value(), parked.position.partition.value(),
                                  parked.stream.ToString(), parked.version.value()));
  EVERFOLD_RETURN_IF_ERROR(ReadAt(parked.position, [&](const RecordedEvent& event) {
    if (event.position != parked.position) return absl::OkStatus();
    const absl::Status result = HandleEvent(routes_.at(event.event.type), event, file_->rows());
    if (!result.ok() && !IsOfTheEvent(result)) return Annotate(PlaceOf(event), result);
    handled = result.ok() ? result : Annotate(PlaceOf(event), result);
    return absl::OkStatus();
  }));
  if (!handled.ok()) return file_->TakeBackPart();
  EVERFOLD_RETURN_IF_ERROR(Settle(parked, &PartitionTally::applied));
  return file_->EndPart();
}

// It waits no more.
absl::Status EventFolder::Settle(const ParkedEvent& parked, EventTally PartitionTally::*as) {
  TallyAt(parked.position).parked -= parked.tally;
  TallyAt(parked.position).*as += parked.tally;
  return file_->parked().RemoveEvent(parked.position);
}

absl::Status EventFolder::ReadAt(const Position& position, Subscription::Visit visit) const {
  Checkpoint before = checkpoint();
  before.offsets[position.partition.value()] = Offset(position.offset.value() - 1);
  SubscriptionOptions options = SubscriptionOf(type_);
  options.partition = position.partition;
  EVERFOLD_ASSIGN_OR_RETURN(const auto subscription, feed_.Subscribe(before, std::move(options)));
  return subscription->Pull(1, visit).status();
}

absl::StatusOr<bool> EventFolder::MakeIndexes(const std::function<bool()>& stop) {
  EVERFOLD_RETURN_IF_ERROR(CommitHeld());
  return file_->MakeIndexes(stop);
}

absl::Status EventFolder::MakeDurable() {
  EVERFOLD_RETURN_IF_ERROR(CommitHeld());
  return file_->MakeDurable();
}

absl::Status EventFolder::Drop(const EventName& event) {
  dropped_.insert(event);
  EVERFOLD_ASSIGN_OR_RETURN(const std::optional<ParkedEvent> parked, file_->parked().Find(event.stream, event.version));
  if (!parked.has_value()) return absl::OkStatus();
  EVERFOLD_RETURN_IF_ERROR(DropParked(*parked));
  return keys_.contains(parked->key) ? Retry(parked->key).status() : absl::OkStatus();
}

absl::Status EventFolder::DropParked(const ParkedEvent& parked) {
  EVERFOLD_RETURN_IF_ERROR(CommitHeld());
  EVERFOLD_RETURN_IF_ERROR(Begin(/*max_cached_bytes=*/0));
  absl::Status status = Settle(parked, &PartitionTally::dropped);
  const absl::StatusOr<std::vector<ParkedEvent>> waiting = file_->parked().EventsOf(parked.key, 1);
  status.Update(waiting.status());
  const bool was_last = status.ok() && waiting->empty();
  if (was_last) status.Update(file_->parked().RemoveKey(parked.key));
  if (!status.ok()) {
    TakeBack();
    return status;
  }
  EVERFOLD_RETURN_IF_ERROR(Commit(checkpoint()));
  if (was_last) keys_.erase(parked.key);
  return absl::OkStatus();
}

}  // namespace everfold
