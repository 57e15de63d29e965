// Where the events of a projection come from: the store in this process, or an application that has it open.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "everfold/event/position.h"
#include "everfold/projection/dropped_events.h"
#include "everfold/store/event_store.h"
#include "everfold/subscription/subscription.h"

namespace everfold {

// Threading: one thread at a time, its subscriptions included. Lifetime: outlives its subscriptions.
class EventFeed {
 public:
  virtual ~EventFeed() = default;

  // As Subscription::Start. What that refuses may be told by the first pull instead.
  virtual absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(const Checkpoint& from,
                                                                  SubscriptionOptions options) const = 0;
  // As LoadDroppedEvents.
  virtual absl::StatusOr<DroppedEvents> DroppedFrom(const std::string& projection) const = 0;
};

// Of the store itself. Threading: thread-safe. Lifetime: the store outlives it.
class StoreFeed final : public EventFeed {
 public:
  explicit StoreFeed(const EventStore& store) : store_(store) {}

  absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(const Checkpoint& from,
                                                          SubscriptionOptions options) const override {
    return Subscription::Start(store_, from, std::move(options));
  }
  absl::StatusOr<DroppedEvents> DroppedFrom(const std::string& projection) const override {
    return LoadDroppedEvents(store_, projection);
  }

 private:
  const EventStore& store_;
};

}  // namespace everfold
