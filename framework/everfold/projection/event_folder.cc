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
#include "everfold/projection/row_cache.h"

namespace everfold {
namespace {

constexpr std::size_t kRetriesATransaction = 500;
// Of a transaction that is held open: what it costs to take back, and what a restart has to do again.
constexpr std::uint64_t kMaxBatchesOfTransaction = 500;
constexpr std::size_t kMaxUnwrittenBytes = 128 << 20;
// Likewise, of rows that are written at once: SQLite keeps all pages of a transaction in the WAL.
constexpr std::uint64_t kMaxWrittenRows = 1'000'000;
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
    : file_(std::move(file)),
      type_(type),
      feed_(feed),
      routes_(std::make_shared<EventRoutes>(type)),
      tallies_(file_->tallies()) {}

absl::StatusOr<std::unique_ptr<EventFolder>> EventFolder::Open(std::unique_ptr<ReadModelFile> file,
                                                               const ProjectionType& type, const EventFeed& feed) {
  std::unique_ptr<EventFolder> folder(new EventFolder(std::move(file), type, feed));
  const absl::Status taken = folder->Take({});
  if (!taken.ok()) return Annotate(folder->path(), taken);
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

const Checkpoint& EventFolder::position() const { return events_ == nullptr ? checkpoint() : events_->checkpoint(); }

absl::StatusOr<PullResult> EventFolder::FoldBatch(std::size_t max_events) {
  return Fold(max_events, {.max_cached_bytes = kMaxCachedBytes});
}

absl::StatusOr<PullResult> EventFolder::FoldFarBatch(std::size_t max_events, bool holds) {
  return Fold(max_events, {.holds = holds, .max_cached_bytes = kMaxCachedBytesOfBuild});
}

absl::StatusOr<PullResult> EventFolder::FoldOn(std::size_t max_events) {
  return Fold(max_events, {.holds = true,
                           .reading = ReadingFor(Audience::kNobody, /*ahead=*/false),
                           .max_cached_bytes = kMaxCachedBytesOfBuild});
}

absl::StatusOr<PullResult> EventFolder::FoldAhead(Audience audience, std::size_t max_events, bool holds) {
  return Fold(
      max_events,
      {.holds = holds, .reading = ReadingFor(audience, /*ahead=*/true), .max_cached_bytes = kMaxCachedBytesOfBuild});
}

absl::StatusOr<bool> EventFolder::AwaitReadAhead(Audience audience, Task when) {
  EVERFOLD_RETURN_IF_ERROR(Take(ReadingFor(audience, /*ahead=*/true)));
  return read_ahead_->AwaitReady(std::move(when));
}

absl::StatusOr<PullResult> EventFolder::Fold(std::size_t max_events, const Manner& manner) {
  event_failed_ = false;
  std::uint64_t held = in_transaction_ ? events_in_transaction_ : 0;
  absl::StatusOr<PullResult> folded = FoldOnce(max_events, manner);
  for (int again = 0; again < 2 && !folded.ok() && event_failed_ && !in_parts_; ++again) {
    // Events that came meanwhile may fail as well, and rows that are not written before the end. In parts nothing does.
    if (again > 0) failed_at_.reset();
    FoldOtherwise(held, max_events);
    held = 0;
    folded = FoldOnce(max_events, manner);
  }
  event_failed_ = false;
  if (!folded.ok()) return folded;
  const auto take_off = [&folded](std::uint64_t& events) { events -= std::min<std::uint64_t>(events, folded->events); };
  take_off(in_parts_ ? events_in_parts_ : events_in_batches_);
  if (met_it_) events_in_parts_ = max_events;
  if (folded->caught_up) {
    events_in_parts_ = events_in_batches_ = 0;
    whole_before_.reset();
  }
  return folded;
}

// An event has failed, and a transaction was taken back that held so many from batches before. If it was its handler
// that told, those before it need no parts; that it is met again before others is no more than likely. If it was the
// commit, nobody knows which: each batch has a transaction, until it is the one that fails.
void EventFolder::FoldOtherwise(std::uint64_t held, std::size_t max_events) {
  whole_before_ = std::exchange(failed_at_, std::nullopt);
  if (whole_before_.has_value()) return;
  (held > 0 ? events_in_batches_ : events_in_parts_) = held + max_events;
}

// What nobody queries yet may be folded in any order that the handlers permit.
EventFolder::Reading EventFolder::ReadingFor(Audience audience, bool ahead) const {
  const bool may_be_any = audience == Audience::kNobody && type_.order == ProjectionOrder::kPerPartition;
  return {.in_turns = may_be_any, .ahead = ahead};
}

// From where it is.
absl::StatusOr<std::unique_ptr<Subscription>> EventFolder::Subscribe(const Reading& reading) const {
  SubscriptionOptions options = SubscriptionOf(type_);
  options.upto = end_;
  if (reading.ahead) options.max_bytes_a_pull = ReadAhead::kMaxBytesAPull;
  return reading.in_turns ? PartitionTurns::Start(feed_, position(), options) : feed_.Subscribe(position(), options);
}

absl::Status EventFolder::Take(const Reading& reading) {
  if (events_ != nullptr && reading == reading_) return absl::OkStatus();
  auto subscription = Subscribe(reading);
  if (!subscription.ok() && in_transaction_) TakeBack();
  EVERFOLD_RETURN_IF_ERROR(subscription.status());
  read_ahead_ = nullptr;
  if (reading.ahead) {
    auto ahead = std::make_unique<ReadAhead>(*std::move(subscription), routes_, post_);
    read_ahead_ = ahead.get();
    events_ = std::move(ahead);
  } else {
    events_ = std::make_unique<SubscribedEvents>(*std::move(subscription), *routes_);
  }
  reading_ = reading;
  return absl::OkStatus();
}

absl::Status EventFolder::FoldTo(const Checkpoint& end, std::size_t max_batch_events) {
  EVERFOLD_RETURN_IF_ERROR(CommitHeld());
  end_ = end;
  events_.reset();
  const absl::Cleanup go_on = [this] {
    end_ = {};
    events_.reset();
  };
  for (PullResult folded; !folded.caught_up;) {
    EVERFOLD_ASSIGN_OR_RETURN(folded, FoldBatch(max_batch_events));
  }
  return absl::OkStatus();
}

absl::StatusOr<PullResult> EventFolder::FoldOnce(std::size_t max_events, const Manner& manner) {
  in_parts_ = events_in_parts_ > 0;
  EVERFOLD_RETURN_IF_ERROR(Take(manner.reading));
  if (!in_transaction_) EVERFOLD_RETURN_IF_ERROR(Begin(in_parts_ ? 0 : manner.max_cached_bytes));
  absl::StatusOr<PullResult> pulled = Pull(max_events);
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
                       file_->unwritten_bytes() >= kMaxUnwrittenBytes || file_->written_rows() >= kMaxWrittenRows ||
                       file_->cached_bytes() >= kMaxUnwrittenBytes + manner.max_cached_bytes;
  const bool holds = manner.holds && !in_parts_ && events_in_batches_ == 0;
  if (holds && !met_it_ && !pulled->caught_up && !is_full) return pulled;
  EVERFOLD_RETURN_IF_ERROR(Commit(events_->checkpoint()));
  return pulled;
}

// Ends before the event from which on they are folded in parts.
absl::StatusOr<PullResult> EventFolder::Pull(std::size_t max_events) {
  met_it_ = false;
  pulled_ = 0;
  absl::StatusOr<PullResult> pulled = events_->Pull(max_events, [this](const PreparedEvent& event) {
    met_it_ = whole_before_ == event.event.position;
    if (met_it_) return absl::CancelledError();
    ++pulled_;
    return FoldEvent(event);
  });
  if (!met_it_) return pulled;
  whole_before_.reset();
  return PullResult{.events = pulled_, .caught_up = false, .moved = events_->checkpoint() != checkpoint()};
}

absl::Status EventFolder::Begin(std::size_t max_cached_bytes) {
  event_failed_ = false;
  failed_at_.reset();
  folding_upto_ = folded_upto_;
  new_keys_.clear();
  tallies_ = file_->tallies();
  events_in_transaction_ = 0;
  file_->CacheRows(max_cached_bytes);
  return file_->Begin();
}

absl::Status EventFolder::CommitHeld() {
  if (!in_transaction_) return absl::OkStatus();
  const std::uint64_t held = events_in_transaction_;
  absl::Status committed = Commit(events_->checkpoint());
  if (committed.ok() || !event_failed_) return committed;
  FoldOtherwise(held, 0);  // it is taken back, which is no error of who wants nothing to be held
  event_failed_ = false;
  return absl::OkStatus();
}

absl::Status EventFolder::Commit(const Checkpoint& checkpoint) {
  absl::Status committed = file_->Commit(checkpoint, tallies_);
  // Rows that are written only now may break what they would have broken in their handlers.
  event_failed_ =
      !committed.ok() && !in_parts_ && (absl::IsFailedPrecondition(committed) || absl::IsInvalidArgument(committed));
  if (committed.ok()) folded_upto_ = folding_upto_;
  if (!committed.ok()) TakeBack();
  in_transaction_ = false;
  return committed;
}

void EventFolder::TakeBack() {
  file_->Rollback();
  in_transaction_ = false;
  for (const std::string& key : new_keys_) keys_.erase(key);
  events_.reset();
}

absl::Status EventFolder::FoldEvent(const PreparedEvent& prepared) {
  const RecordedEvent& event = prepared.event;
  folding_upto_ = std::max(folding_upto_, event.commit.recorded_at);  // which is less in the next partition
  if (!dropped_.empty() && dropped_.contains({event.stream.stream, event.version})) {
    TallyAt(event.position).dropped += prepared.tally;
    return absl::OkStatus();
  }
  if (!keys_.empty()) {
    std::string key = KeyOfEvent(prepared.route, event);
    // One whose key could not be told is parked with its stream, and holds what follows it there.
    if (!keys_.contains(key) && prepared.route.key != nullptr) key = KeyOfStream(event.stream.stream);
    if (keys_.contains(key)) {
      TallyAt(event.position).parked += prepared.tally;
      return file_->parked().AddEvent(key, event, prepared.tally);
    }
  }
  return in_parts_ ? FoldInPart(prepared) : FoldWhole(prepared);
}

absl::Status EventFolder::FoldWhole(const PreparedEvent& prepared) {
  const absl::Status handled = HandleEvent(prepared, file_->rows());
  if (!handled.ok()) {
    event_failed_ = IsOfTheEvent(handled);
    if (event_failed_) failed_at_ = prepared.event.position;
    return Annotate(PlaceOf(prepared.event), handled);
  }
  if (RowCache* const cache = file_->rows().cache(); cache != nullptr && prepared.later != 0) {
    cache->Expect(prepared.event.stream.stream.id, prepared.soon, prepared.later);
  }
  TallyAt(prepared.event.position).applied += prepared.tally;
  return absl::OkStatus();
}

absl::Status EventFolder::FoldInPart(const PreparedEvent& prepared) {
  EVERFOLD_RETURN_IF_ERROR(file_->BeginPart());
  const absl::Status handled = HandleEvent(prepared, file_->rows());
  if (handled.ok()) {
    TallyAt(prepared.event.position).applied += prepared.tally;
    return file_->EndPart();
  }
  if (!IsOfTheEvent(handled)) return Annotate(PlaceOf(prepared.event), handled);
  EVERFOLD_RETURN_IF_ERROR(file_->TakeBackPart());
  return Park(prepared, handled);
}

absl::Status EventFolder::Park(const PreparedEvent& prepared, const absl::Status& error) {
  const RecordedEvent& event = prepared.event;
  const std::string key = KeyOfEvent(prepared.route, event);
  EVERFOLD_RETURN_IF_ERROR(CheckRoom(key, Annotate(PlaceOf(event), error)));
  EVERFOLD_RETURN_IF_ERROR(file_->parked().AddKey(key, event.commit.recorded_at, TextOf(event, error)));
  EVERFOLD_RETURN_IF_ERROR(file_->parked().AddEvent(key, event, prepared.tally));
  TallyAt(event.position).parked += prepared.tally;
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
    const EventRoute* const route = routes_->Find(event.event.type);
    if (route == nullptr || event.position != parked.position) return absl::OkStatus();
    const absl::Status result = HandleEvent({.event = event, .route = *route, .tally = parked.tally}, file_->rows());
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
  EVERFOLD_RETURN_IF_ERROR(CommitHeld());  // or it is not parked any more
  EVERFOLD_ASSIGN_OR_RETURN(const std::optional<ParkedEvent> parked, file_->parked().Find(event.stream, event.version));
  if (!parked.has_value()) return absl::OkStatus();
  EVERFOLD_RETURN_IF_ERROR(DropParked(*parked));
  return keys_.contains(parked->key) ? Retry(parked->key).status() : absl::OkStatus();
}

absl::Status EventFolder::DropParked(const ParkedEvent& parked) {
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
