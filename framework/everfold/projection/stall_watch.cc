#include "everfold/projection/stall_watch.h"

#include "absl/strings/str_format.h"
#include "everfold/subscription/subscription.h"

namespace everfold {

void StallWatch::LookNow() {
  const std::uint64_t committed = EventsBefore(progress_.committed());
  const std::uint64_t lag = EventsBefore(store_.DurableHead()) - committed;
  const ShownProjection::Look look = shown_.LookAt(committed, lag);
  if (look == ShownProjection::Look::kNothingToDo) {
    watching_ = false;
    return;
  }
  if (look == ShownProjection::Look::kHasStalled) {
    steps_.Tell(LogLevel::kWarning, "projection does not move", {{"events_behind", absl::StrFormat("%d", lag)}});
  }
  LookLater();
}

}  // namespace everfold
