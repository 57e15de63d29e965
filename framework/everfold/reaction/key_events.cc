#include "everfold/reaction/key_events.h"

#include <utility>

#include "everfold/base/status.h"
#include "everfold/reaction/event_reaction.h"
#include "everfold/subscription/before_sequence.h"

namespace everfold {
namespace {

constexpr std::size_t kEventsAStep = 1000;  // that are looked at

bool IsTaken(const Position& position, const Checkpoint& taken) {
  return position.offset <= taken.offsets[position.partition.value()];
}

}  // namespace

absl::StatusOr<KeyEvents::Found> KeyEvents::Read(const Checkpoint& taken, std::size_t limit,
                                                 std::deque<TakenEvent>& events) {
  return type_.keys.empty() ? ReadStream(taken, limit, events) : ReadLog(taken, limit, events);
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
    const bool wanted = type_.handlers.contains(event.event.type) || type_.stored_forms.contains(event.event.type);
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
