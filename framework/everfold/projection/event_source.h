// The events that a projection wants, on their way to their handlers.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/position.h"
#include "everfold/projection/event_handling.h"
#include "everfold/subscription/subscription.h"

namespace everfold {

// Threading: one thread at a time.
class EventSource {
 public:
  using Visit = absl::FunctionRef<absl::Status(const PreparedEvent&)>;

  virtual ~EventSource() = default;
  // As those of Subscription.
  virtual absl::StatusOr<PullResult> Pull(std::size_t max_events, Visit visit) = 0;
  virtual const Checkpoint& checkpoint() const = 0;
};

// Prepares each event when it is pulled. Lifetime: the routes outlive it.
class SubscribedEvents final : public EventSource {
 public:
  SubscribedEvents(std::unique_ptr<Subscription> subscription, const EventRoutes& routes)
      : subscription_(std::move(subscription)), routes_(routes) {}

  absl::StatusOr<PullResult> Pull(std::size_t max_events, Visit visit) override;
  const Checkpoint& checkpoint() const override { return subscription_->checkpoint(); }

 private:
  const std::unique_ptr<Subscription> subscription_;
  const EventRoutes& routes_;
};

}  // namespace everfold
