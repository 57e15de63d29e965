#include "everfold/reaction/key_search.h"

#include "everfold/base/status.h"
#include "everfold/reaction/event_reaction.h"
#include "everfold/subscription/before_sequence.h"

namespace everfold {
namespace {

constexpr std::size_t kEventsAStep = 1000;

}  // namespace

absl::Status KeySearch::Start() {
  if (from_.offsets.empty()) {
    EVERFOLD_ASSIGN_OR_RETURN(from_, BeforeSequence(store_, first_));
  }
  EVERFOLD_ASSIGN_OR_RETURN(subscription_,
                            Subscription::Start(store_, from_, {.selection = SelectionOf(type_), .upto = upto_}));
  return absl::OkStatus();
}

absl::StatusOr<bool> KeySearch::Continue(KeyQueue& queue, absl::FunctionRef<bool()> has_room) {
  if (subscription_ == nullptr) EVERFOLD_RETURN_IF_ERROR(Start());
  const absl::Status enough = absl::CancelledError();
  const absl::StatusOr<PullResult> pulled = subscription_->Pull(kEventsAStep, [&](const RecordedEvent& event) {
    if (!has_room()) return enough;
    queue.Found(KeyOfEvent(type_, event), event);
    return absl::OkStatus();
  });
  if (pulled.ok()) return pulled->caught_up;
  if (pulled.status() == enough) return false;
  from_ = subscription_->checkpoint();
  subscription_.reset();
  return pulled.status();
}

}  // namespace everfold
