#include "everfold/reaction/key_events.h"

#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/event_key.h"
#include "everfold/subscription/before_sequence.h"

namespace everfold {
namespace {

constexpr std::size_t kEventsAStep = 1000;  // that are looked at

bool IsTaken(const Position& position, const Checkpoint& taken) {
  return position.offset <= taken.offsets[position.partition.value()];
}

bool IsWanted(const ReactorType& type, const std::string& stored) {
  return type.handlers.contains(stored) || type.stored_forms.contains(stored);
}

}  // namespace

absl::StatusOr<KeyEvents::Found> KeyEvents::Read(const Checkpoint& taken, std::size_t limit,
                                                 std::deque<TakenEvent>& events) {
  if (!passed_ && !checked_) EVERFOLD_RETURN_IF_ERROR(CheckFirst());
  checked_ = true;
  const bool reads_stream = type_.keys.empty() || has_untold_key();
  return reads_stream ? ReadStream(taken, limit, events) : ReadLog(taken, limit, events);
}

// Code of another release may have other keys, and handlers for other events.
absl::Status KeyEvents::CheckFirst() {
  std::optional<EventPlace> place;
  std::string type;
  std::string key;
  const StreamRange only{.after = Version(at_.version.value() - 1), .upto = at_.version, .limit = 1};
  EVERFOLD_RETURN_IF_ERROR(store_.ReadStream(at_.stream, only, [&](const RecordedEvent& event) {
    place = PlaceOf(event);
    type = event.event.type;
    if (IsWanted(type_, type)) key = KeyOfEvent(type_, event);
    return absl::OkStatus();
  }));
  if (!place.has_value()) {
    EVERFOLD_ASSIGN_OR_RETURN(const Version newest, store_.VersionOf(at_.stream));
    if (newest < at_.version) return NotTheFirst("which is not in the log");
    passed_ = true;  // it was erased
    return absl::OkStatus();
  }
  if (*place != at_) return NotTheFirst("which stands elsewhere in the log");
  if (!IsWanted(type_, type)) return NotTheFirst(absl::StrFormat("and there is no On for %s", type));
  if (key != key_ && !has_untold_key()) return NotTheFirst(absl::StrFormat("which has the key %s now", ShownText(key)));
  return absl::OkStatus();
}

absl::Status KeyEvents::NotTheFirst(const std::string& why) const {
  return Error(absl::StatusCode::kFailedPrecondition, reason::kEventParked,
               absl::StrFormat("key %s begins with %s version %d, %s: put the code back that has it and "
                               "`%s retry`, or leave it out with `%s drop`; then `%s resume`",
                               ShownText(key_), KeyOfStream(at_.stream), at_.version.value(), why, type_.verb,
                               type_.verb, type_.verb),
               {{type_.kind, type_.name}});
}

absl::StatusOr<KeyEvents::Found> KeyEvents::ReadStream(const Checkpoint& taken, std::size_t limit,
                                                       std::deque<TakenEvent>& events) {
  const absl::Status enough = absl::CancelledError();
  std::size_t added = 0;
  std::size_t seen = 0;
  const StreamRange range{.after = passed_ ? at_.version : Version(at_.version.value() - 1), .limit = kEventsAStep};
  const absl::Status read = store_.ReadStream(at_.stream, range, [&](const RecordedEvent& event) {
    if (added == limit || !IsTaken(event.position, taken)) return enough;
    ++seen;
    at_ = PlaceOf(event);
    passed_ = true;
    const bool wanted = IsWanted(type_, event.event.type);
    if (wanted) events.push_back(Take(event));
    added += wanted;
    return absl::OkStatus();
  });
  if (!read.ok() && read != enough) return read;
  if (added > 0) return Found::kSome;
  return seen == kEventsAStep ? Found::kMore : Found::kNone;
}

absl::StatusOr<KeyEvents::Found> KeyEvents::ReadLog(const Checkpoint& taken, std::size_t limit,
                                                    std::deque<TakenEvent>& events) {
  if (subscription_ == nullptr || upto_ != taken) {
    Checkpoint from;
    if (subscription_ == nullptr) {
      EVERFOLD_ASSIGN_OR_RETURN(from, BeforeSequence(store_, at_.sequence));
    } else {
      from = subscription_->checkpoint();
    }
    EVERFOLD_ASSIGN_OR_RETURN(subscription_,
                              Subscription::Start(store_, from, {.selection = SelectionOf(type_), .upto = taken}));
    upto_ = taken;
  }
  const absl::Status enough = absl::CancelledError();
  std::size_t added = 0;
  const absl::StatusOr<PullResult> pulled = subscription_->Pull(kEventsAStep, [&](const RecordedEvent& event) {
    if (added == limit) return enough;
    EventPlace place = PlaceOf(event);
    if (!IsBehind(place) || KeyOfEvent(type_, event) != key_) return absl::OkStatus();
    events.push_back(Take(event));
    at_ = std::move(place);
    passed_ = true;
    ++added;
    return absl::OkStatus();
  });
  if (!pulled.ok() && pulled.status() != enough) return pulled.status();
  if (added > 0) return Found::kSome;
  return pulled->caught_up ? Found::kNone : Found::kMore;
}

}  // namespace everfold
