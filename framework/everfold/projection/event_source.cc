#include "everfold/projection/event_source.h"

namespace everfold {

absl::StatusOr<PullResult> SubscribedEvents::Pull(std::size_t max_events, Visit visit) {
  return subscription_->Pull(max_events, [&](const RecordedEvent& event) {
    const EventRoute* const route = routes_.Find(event.event.type);
    if (route == nullptr) return absl::OkStatus();
    return visit({.event = event, .route = *route, .tally = TallyOf(event)});
  });
}

}  // namespace everfold
