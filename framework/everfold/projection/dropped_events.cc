#include "everfold/projection/dropped_events.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/fingerprint.h"
#include "everfold/v1/parked_event_dropped.pb.h"

namespace everfold {
StreamId StreamOfDrops(const std::string& projection) { return {.tenant = "", .aggregate = "$ops", .id = projection}; }

absl::Status AddDropped(const RecordedEvent& event, DroppedEvents& dropped) {
  v1::ParkedEventDropped drop;
  const bool decoded = event.event.type == v1::ParkedEventDropped::descriptor()->full_name() &&
                       drop.ParseFromArray(event.event.payload.data(), static_cast<int>(event.event.payload.size()));
  if (!decoded) {
    return Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
                 absl::StrFormat("version %d of %s is not an event that was dropped", event.version.value(),
                                 event.stream.stream.ToString()));
  }
  EVERFOLD_ASSIGN_OR_RETURN(StreamId stream, ParseStreamId(drop.stream(), drop.tenant()));
  dropped.insert({std::move(stream), Version(drop.version())});
  return absl::OkStatus();
}

absl::StatusOr<DroppedEvents> LoadDroppedEvents(const EventStore& store, const std::string& projection) {
  DroppedEvents dropped;
  EVERFOLD_RETURN_IF_ERROR(store.ReadStream(
      StreamOfDrops(projection), {}, [&dropped](const RecordedEvent& event) { return AddDropped(event, dropped); }));
  return dropped;
}

AppendRequest DropOf(const std::string& projection, const ParkedEvent& event, const std::string& error,
                     const std::string& reason) {
  v1::ParkedEventDropped drop;
  drop.set_projection(projection);
  drop.set_tenant(event.stream.tenant);
  drop.set_stream(event.stream.ToString());
  drop.set_version(event.version.value());
  drop.set_key(event.key);
  drop.set_reason(reason);
  drop.set_error(error);
  AppendRequest request;
  request.of_framework = true;
  request.streams.push_back({.stream = StreamOfDrops(projection),
                             .expectation = StreamExpectation::Any(),
                             .events = {{.type = drop.GetDescriptor()->full_name(),
                                         .fingerprint = FingerprintOf(*drop.GetDescriptor()),
                                         .payload = drop.SerializeAsString(),
                                         .event_time = {},
                                         .tags = {}}}});
  return request;
}

}  // namespace everfold
