// The events of an application that runs, for a projection that is built ahead of its deploy: its EventStoreService is
// asked.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "everfold/event/position.h"
#include "everfold/projection/event_feed.h"

namespace everfold {

// Its calls, and the pulls of its subscriptions, block until the application has answered. UNAVAILABLE, with the
// address, if none answers there; else what the application says. After an error that is not of its visit a
// subscription is of no more use.
//
// A pull comes back when it has `max_events`, or when the application has told that all it had was sent; the next one
// asks it again.
class RemoteFeed : public EventFeed {
 public:
  // INVALID_ARGUMENT for what is no address.
  static absl::StatusOr<std::unique_ptr<RemoteFeed>> Open(const std::string& address);

  // What is durable there.
  virtual absl::StatusOr<Checkpoint> Head() const = 0;
};

}  // namespace everfold
