#include "everfold/store/prepared_append.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "everfold/base/status.h"
#include "everfold/event/chunk_writer.h"
#include "everfold/event/partitioning.h"

namespace everfold {
namespace {

// What a commit takes beside names and payloads, about; more is no harm.
constexpr std::size_t kBytesACommit = 64;
constexpr std::size_t kBytesAnEvent = 16;

// About how many bytes the body of a commit takes that is in one partition, as nearly all are.
std::size_t BodyBytesOf(const AppendRequest& request) {
  std::size_t bytes = kBytesACommit + request.tenant.size() + request.command.id.size();
  for (const StreamAppend& stream : request.streams) {
    bytes += stream.stream.aggregate.size() + stream.stream.id.size();
    for (const NewEvent& event : stream.events) bytes += kBytesAnEvent + event.payload.size();
  }
  return bytes;
}

// Index of the partition's part, which begins with what all parts of the commit share.
std::size_t PartOf(PartitionId partition, const AppendRequest& request, const TypeDictionary& types,
                   PreparedAppend& prepared) {
  for (std::size_t i = 0; i < prepared.parts.size(); ++i) {
    if (prepared.parts[i].partition == partition) return i;
  }
  PreparedPart& part = prepared.parts.emplace_back();
  part.partition = partition;
  if (prepared.parts.size() == 1) part.body.reserve(BodyBytesOf(request));
  CommitBodyWriter(part.body).Begin(request.tenant, request.command, request.metadata);
  if (!request.command.type.empty()) part.command_type = types.IdOf(partition, {request.command.type, ""});
  return prepared.parts.size() - 1;
}

// Takes names of types out of the stream's events.
void AddStream(StreamAppend& stream, const TypeDictionary& types, PreparedPart& part) {
  CommitBodyWriter writer(part.body);
  part.type_ids.reserve(part.type_ids.size() + stream.events.size());
  writer.Stream(stream.stream, stream.events.size());
  for (NewEvent& event : stream.events) {
    writer.Event(PayloadCodec::kPlain, event.event_time, event.tags, event.payload);
    part.has_tags = part.has_tags || !event.tags.empty();
    EventType type{std::move(event.type), std::move(event.fingerprint)};
    part.type_ids.push_back(types.IdOf(part.partition, type));
    if (part.type_ids.back() == 0) part.unknown.push_back(std::move(type));
  }
}

void AddTagKeys(const StreamAppend& stream, std::uint32_t first_event, PreparedAppend& prepared) {
  for (std::uint32_t i = 0; i < stream.events.size(); ++i) {
    const std::vector<std::string>& tags = stream.events[i].tags;
    if (tags.empty()) continue;
    prepared.tagged.push_back({.event = first_event + i,
                               .first = static_cast<std::uint32_t>(prepared.tag_keys.size()),
                               .count = static_cast<std::uint32_t>(tags.size())});
    for (const std::string& tag : tags) prepared.tag_keys.push_back(NameKey::Of(stream.stream.tenant, tag));
  }
}

void RecordOutcome(AppendRequest& request) {
  request.metadata.headers.insert_or_assign(kOutcomeHeader, absl::Base64Escape(request.outcome));
}

}  // namespace

absl::Status PrepareAppend(AppendRequest&& request, std::uint32_t partitions, const TypeDictionary& types,
                           const StoredNames& names, PreparedAppend& prepared) {
  EVERFOLD_RETURN_IF_ERROR(ValidateAppend(request));
  if (!request.outcome.empty()) RecordOutcome(request);
  prepared.outcome = std::move(request.outcome);
  prepared.streams.reserve(request.streams.size());
  prepared.result.streams.reserve(request.streams.size());
  std::uint32_t events = 0;
  for (StreamAppend& stream : request.streams) {
    AddTagKeys(stream, events, prepared);
    events += static_cast<std::uint32_t>(stream.events.size());
    const PartitionId partition = PartitionOf(stream.stream, partitions);
    const std::size_t part = PartOf(partition, request, types, prepared);
    AddStream(stream, types, prepared.parts[part]);
    const StreamId& name = stream.stream;
    prepared.streams.push_back({.name = EntryName::OfStream(name.tenant, name.aggregate, name.id),
                                .expectation = stream.expectation,
                                .partition = partition,
                                .events = static_cast<std::uint32_t>(stream.events.size()),
                                .part = part});
    prepared.result.streams.push_back({std::move(stream.stream), Version(), Position()});
  }
  if (!request.command.empty()) {
    prepared.command_name = EntryName::OfCommand(request.tenant, request.command.type, request.command.id);
  }
  if (request.condition.has_value()) {
    names.AddTo(request.condition->fail_if_events_match);
    prepared.condition =
        std::make_unique<PreparedCondition>(PrepareCondition(*std::move(request.condition), request.tenant));
  }
  for (const PreparedPart& part : prepared.parts) prepared.bytes += part.body.size();
  prepared.tenant = std::move(request.tenant);
  prepared.command = std::move(request.command);
  prepared.not_before = request.not_before;
  prepared.link = std::move(request.link);
  prepared.of_import = request.of_import;
  return absl::OkStatus();
}

}  // namespace everfold
