// What operators ask of a reactor: to stand still, to go on, here or elsewhere, and what becomes of events that wait.
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/error_message.h"
#include "everfold/base/status.h"
#include "everfold/event/event_key.h"
#include "everfold/reaction/reactor_runner.h"

namespace everfold {

template <class Result>
void ReactorRunner::Ask(absl::AnyInvocable<void(Result)> done,
                        absl::AnyInvocable<void(absl::AnyInvocable<void(Result)>)> work) {
  std::optional<TaskScope::Guard> guard = scope_.Enter();
  if (!guard.has_value()) return Answer<Result>(std::move(done), Closing());
  strand_->Post([this, guard = *std::move(guard), done = std::move(done), work = std::move(work)]() mutable {
    if (is_closing_) return Answer<Result>(std::move(done), Closing());
    work(std::move(done));
  });
}

void ReactorRunner::Pause(Done done) {
  Ask<absl::Status>(std::move(done), [this](Done answer) {
    if (!loaded_) return Answer(std::move(answer), absl::Status(error_));
    if (!std::exchange(paused_, true))
      Tell(LogLevel::kInfo, absl::StrFormat("%s is paused", type_->kind), {{type_->kind, type_->name}});
    SaveWith(std::move(answer));
  });
}

void ReactorRunner::Resume(Done done) {
  Ask<absl::Status>(std::move(done), [this](Done answer) {
    if (moving_.has_value()) return Answer(std::move(answer), BeingReset());
    Tell(LogLevel::kInfo, absl::StrFormat("%s is resumed", type_->kind), {{type_->kind, type_->name}});
    failures_ = 0;
    retry_timer_.reset();
    if (!loaded_) {
      // What it has done since its last save is done again.
      moving_.emplace(Move{.reason = "", .done = std::move(answer)});
      return RunStep();
    }
    error_ = absl::OkStatus();
    paused_ = false;
    SaveWith(std::move(answer));
  });
}

void ReactorRunner::Reset(v1::ReactorResetTo to, std::string reason, Done done) {
  if (absl::Status valid = ValidateName(reason, kMaxReactorReasonBytes, "the reason"); !valid.ok()) {
    return Answer(std::move(done), std::move(valid));
  }
  if (to != v1::REACTOR_RESET_TO_HEAD && to != v1::REACTOR_RESET_TO_AS_IT_WAS) {
    return Answer(std::move(done),
                  Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                        absl::StrFormat("a %s is reset to the head, or to go on as it was", type_->kind)));
  }
  Ask<absl::Status>(std::move(done), [this, to, reason = std::move(reason)](Done answer) {
    if (moving_.has_value()) return Answer(std::move(answer), BeingReset());
    moving_.emplace(Move{.to = to, .reason = reason, .done = std::move(answer)});
    RunStep();
  });
}

absl::Status ReactorRunner::BeingReset() const {
  return Error(absl::StatusCode::kFailedPrecondition, reason::kRequestInvalid,
               absl::StrFormat("%s %s is being reset, or resumed, already", type_->kind, type_->name));
}

// As soon as nothing of the old place is under way.
void ReactorRunner::MoveOn() {
  if (!is_idle() || saving_) return;
  // Whoever is told that an event is dropped finds the record; SaveInTime saves it now.
  if (loaded_ && !records_.empty() && !save_waiting_.empty()) return;
  Move move = *std::exchange(moving_, std::nullopt);
  if (const absl::Status moved = MoveTo(move); !moved.ok()) {
    return Answer(std::move(move.done), absl::Status(moved));
  }
  records_.clear();  // what they were to tell of the old place is not in the log, and not to be
  if (move.to == v1::REACTOR_RESET_TO_UNSPECIFIED) {
    paused_ = false;
  } else {
    records_.push_back(ResetOf(move.to, move.reason));
    Tell(LogLevel::kInfo, absl::StrFormat("%s is reset", type_->kind),
         {{type_->kind, type_->name}, {"to", move.to == v1::REACTOR_RESET_TO_HEAD ? "head" : "as it was"}});
  }
  if (!error_.ok()) Stop(error_);
  unsaved_ = 0;
  changed_ = save_now_ = true;
  save_retry_timer_.reset();
  save_waiting_.push_back(std::move(move.done));
}

// An error if nothing has moved; whether it can go on from there, error_ tells.
absl::Status ReactorRunner::MoveTo(const Move& move) {
  if (move.to == v1::REACTOR_RESET_TO_UNSPECIFIED) {
    error_ = Load();
    if (loaded_) return absl::OkStatus();
    Stop(error_);
    return error_;
  }
  ReactorPlace place{.checkpoint = store_.DurableHead()};
  if (move.to == v1::REACTOR_RESET_TO_AS_IT_WAS) EVERFOLD_RETURN_IF_ERROR(PlaceInThisHistory(place));
  place.paused = paused_;
  // To append it needs no more than to know the newest event, whatever that is.
  EVERFOLD_RETURN_IF_ERROR(newest_->Load([](const RecordedEvent&) { return absl::OkStatus(); }));
  elsewhere_.reset();
  error_ = LoadFrom(place);
  return absl::OkStatus();
}

absl::Status ReactorRunner::PlaceInThisHistory(ReactorPlace& place) const {
  const auto refused = [this](const char* why) {
    return Error(absl::StatusCode::kFailedPrecondition, reason::kRequestInvalid,
                 absl::StrFormat("%s %s %s", type_->kind, type_->name, why), {{type_->kind, type_->name}});
  };
  if (!elsewhere_.has_value()) return refused("does not stand in another history of the store");
  const Checkpoint head = store_.DurableHead();
  const std::vector<Offset>& was = elsewhere_->checkpoint.offsets;
  bool fits = was.size() == head.offsets.size();
  for (std::size_t i = 0; fits && i < was.size(); ++i) fits = was[i] <= head.offsets[i];
  if (!fits) return refused("stood where this history has not come to, or has other partitions");
  place = *elsewhere_;
  place.checkpoint.epoch = head.epoch;
  return absl::OkStatus();
}

void ReactorRunner::ListKeys(absl::AnyInvocable<void(absl::StatusOr<std::vector<ReactorKey>>)> done) {
  using Result = absl::StatusOr<std::vector<ReactorKey>>;
  Ask<Result>(std::move(done), [this](absl::AnyInvocable<void(Result)> answer) {
    std::vector<ReactorKey> keys = queue_.Describe();
    std::erase_if(keys, [](const ReactorKey& key) { return !key.parked && key.next_attempt == absl::InfinitePast(); });
    Answer<Result>(std::move(answer), std::move(keys));
  });
}

absl::Status ReactorRunner::CheckWaits(const std::string& key) const {
  const QueuedKey* const queued = queue_.Find(key);
  const bool waits =
      queued != nullptr && (queued->state == QueuedKey::State::kWaiting || queued->state == QueuedKey::State::kParked);
  if (waits) return loaded_ ? absl::OkStatus() : error_;
  return Error(absl::StatusCode::kNotFound, reason::kNotParked,
               absl::StrFormat("of %s %s no key %s waits or is parked", type_->kind, type_->name, ShownText(key)));
}

void ReactorRunner::Retry(std::string key, Done done) {
  Ask<absl::Status>(std::move(done), [this, key = std::move(key)](Done answer) {
    if (absl::Status waits = CheckWaits(key); !waits.ok()) return Answer(std::move(answer), std::move(waits));
    queue_.Retry(key);
    SaveWith(std::move(answer));
  });
}

void ReactorRunner::RetryAll(Done done) {
  Ask<absl::Status>(std::move(done), [this](Done answer) {
    if (!loaded_) return Answer(std::move(answer), absl::Status(error_));
    for (const ReactorKey& key : queue_.Describe()) {
      if (key.parked || key.next_attempt > absl::InfinitePast()) queue_.Retry(key.key);
    }
    BeginSearch();
    SaveWith(std::move(answer));
  });
}

absl::Status ReactorRunner::CheckDrop(const std::string& key, const StreamId& stream, Version version) {
  EVERFOLD_RETURN_IF_ERROR(CheckWaits(key));
  const EventPlace& first = queue_.At(key).at;
  if (first.stream == stream && first.version == version) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, reason::kNotParked,
               absl::StrFormat("the first event that waits with %s is %s version %d, not %s version %d; look at it, "
                               "and ask again",
                               ShownText(key), KeyOfStream(first.stream), first.version.value(),
                               ShownText(KeyOfStream(stream)), version.value()));
}

void ReactorRunner::Drop(std::string key, StreamId stream, Version version, std::string reason, Done done) {
  if (absl::Status valid = ValidateName(reason, kMaxReactorReasonBytes, "the reason"); !valid.ok()) {
    return Answer(std::move(done), std::move(valid));
  }
  Ask<absl::Status>(std::move(done), [this, key = std::move(key), stream = std::move(stream), version,
                                      reason = std::move(reason)](Done answer) {
    if (absl::Status allowed = CheckDrop(key, stream, version); !allowed.ok()) {
      return Answer(std::move(answer), std::move(allowed));
    }
    const QueuedKey& queued = queue_.At(key);
    records_.push_back(DropOf({.key = key, .at = queued.at, .error = queued.error}, reason));
    queue_.Drop(key);
    SaveWith(std::move(answer));
  });
}

}  // namespace everfold
