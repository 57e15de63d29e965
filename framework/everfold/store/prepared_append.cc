#include "everfold/store/prepared_append.h"

#include <utility>

#include "everfold/base/status.h"
#include "everfold/event/chunk_writer.h"
#include "everfold/event/partitioning.h"

namespace everfold {
namespace {

// Index of the partition's part, which begins with what all parts of the commit share.
std::size_t PartOf(PartitionId partition, const AppendRequest& request, PreparedAppend& prepared) {
  for (std::size_t i = 0; i < prepared.parts.size(); ++i) {
    if (prepared.parts[i].partition == partition) return i;
  }
  PreparedPart& part = prepared.parts.emplace_back();
  part.partition = partition;
  CommitBodyWriter(part.body).Begin(request.tenant, request.command, request.metadata);
  return prepared.parts.size() - 1;
}

// Takes names of types out of the stream's events.
void AddStream(StreamAppend& stream, const TypeDictionary& types, PreparedPart& part) {
  CommitBodyWriter writer(part.body);
  writer.Stream(stream.stream, stream.events.size());
  for (NewEvent& event : stream.events) {
    writer.Event(PayloadCodec::kPlain, event.event_time, event.tags, event.payload);
    EventType type{std::move(event.type), std::move(event.fingerprint)};
    part.type_ids.push_back(types.IdOf(part.partition, type));
    if (part.type_ids.back() == 0) part.unknown.push_back(std::move(type));
  }
}

}  // namespace

absl::StatusOr<PreparedAppend> PrepareAppend(AppendRequest request, std::uint32_t partitions,
                                             const TypeDictionary& types) {
  EVERFOLD_RETURN_IF_ERROR(ValidateAppend(request));
  PreparedAppend prepared;
  prepared.streams.reserve(request.streams.size());
  for (StreamAppend& stream : request.streams) {
    const PartitionId partition = PartitionOf(stream.stream, partitions);
    const std::size_t part = PartOf(partition, request, prepared);
    AddStream(stream, types, prepared.parts[part]);
    StreamKey key(stream.stream);
    prepared.streams.push_back({.stream = std::move(stream.stream),
                                .key = std::move(key),
                                .expectation = stream.expectation,
                                .partition = partition,
                                .events = static_cast<std::uint32_t>(stream.events.size()),
                                .part = part});
  }
  for (const PreparedPart& part : prepared.parts) prepared.bytes += part.body.size();
  prepared.tenant = std::move(request.tenant);
  prepared.command = std::move(request.command);
  prepared.not_before = request.not_before;
  return prepared;
}

}  // namespace everfold
