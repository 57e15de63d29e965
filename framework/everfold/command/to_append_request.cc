#include "everfold/command/to_append_request.h"

#include <memory>

namespace everfold {

NewEvent ToNewEvent(const AggregateType& aggregate, const google::protobuf::Message& event) {
  const AggregateEvent& type = aggregate.events.at(event.GetDescriptor()->full_name());
  NewEvent made{.type = type.name,
                .fingerprint = type.fingerprint,
                .payload = event.SerializeAsString(),
                .event_time = type.event_time(event),
                .tags = {}};
  if (type.add_tags != nullptr) type.add_tags(event, made.tags);
  return made;
}

bool CanBeReadAgain(const google::protobuf::Message& event, const NewEvent& made) {
  const std::unique_ptr<google::protobuf::Message> again(event.New());
  return again->ParseFromString(made.payload);
}

AppendRequest ToAppendRequest(const RoutedCommand& command, absl::Time decided_at, const AnyDecision& decision) {
  AppendRequest append{.tenant = command.stream.tenant,
                       .command = command.id,
                       .metadata = command.request.metadata,
                       .not_before = decided_at,
                       .streams = {}};
  StreamAppend& stream = append.streams.emplace_back();
  stream.stream = command.stream;
  stream.expectation = StreamExpectation::Exact(command.decided_at);
  stream.events.reserve(decision.events.size());
  for (const EmittedEvent& event : decision.events) stream.events.push_back(ToNewEvent(*command.aggregate, *event));
  return append;
}

}  // namespace everfold
