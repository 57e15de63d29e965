// What operators do about the events that a projection could not handle: list them, try them again, leave them out.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/projection/dropped_events.h"
#include "everfold/projection/projection.h"
#include "everfold/projection/projection_steps.h"
#include "everfold/projection/projection_type.h"
#include "everfold/projection/queried_version.h"
#include "everfold/store/event_store.h"

namespace everfold {

// Threading: thread-safe; the work is done on the projection's strand. Lifetime: what it is made of outlives it.
class ParkedOperations {
 public:
  // On the strand: `published` after a change of rows, `dropped` before an event is left out of what is queried, so
  // that it is left out of what is being built as well; `left_out` when it is, from what had parked it.
  struct Calls {
    std::function<void()> published;
    std::function<void(const EventName&)> dropped;
    std::function<void()> left_out;
  };
  ParkedOperations(const ProjectionType& type, EventStore& store, ProjectionSteps& steps, QueriedVersion& queried,
                   Calls calls)
      : type_(type), store_(store), steps_(steps), queried_(queried), calls_(std::move(calls)) {}

  // As those of Projection.
  void List(absl::AnyInvocable<void(absl::StatusOr<std::vector<ParkedKey>>)> done);
  void ListEvents(std::string key, std::size_t limit,
                  absl::AnyInvocable<void(absl::StatusOr<std::vector<ParkedEvent>>)> done);
  void Retry(std::string key, Projection::RetryDone done);
  void Drop(std::string key, std::optional<StreamId> stream, Version version, std::string reason,
            Projection::RetryDone done);

 private:
  absl::Status CheckParked(const std::string& key) const;
  absl::StatusOr<ParkedEvent> FirstOf(const std::string& key);
  absl::Status BeingDropped(const std::string& key) const;
  absl::Status CheckDrop(const ParkedEvent& first, const std::optional<StreamId>& stream, Version version) const;
  void DropFirst(const std::string& key, const std::optional<StreamId>& stream, Version version,
                 const std::string& reason, Projection::RetryDone done);
  void ApplyDrop(const EventName& event, const std::string& key, Projection::RetryDone done);
  absl::StatusOr<std::uint64_t> WaitingOf(const std::string& key);

  const ProjectionType& type_;
  EventStore& store_;
  ProjectionSteps& steps_;
  QueriedVersion& queried_;
  const Calls calls_;
  absl::flat_hash_set<std::string> keys_being_dropped_;  // an event of theirs; the strand's
};

}  // namespace everfold
