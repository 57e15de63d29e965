#include "everfold/store/verify/index_check.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"

namespace everfold {
namespace {

CommandKey KeyOf(const CommitView& commit, const EventType& type) {
  return {commit.tenant, type.name, commit.command_id};
}

}  // namespace

absl::Status IndexCheck::CheckDefinitions(const ChunkReader& chunk) {
  for (const TypeDefinition& definition : chunk.definitions()) {
    const EventType* const known = index_.types().Find(chunk.header().partition, definition.id);
    if (known != nullptr && *known == definition.type) continue;
    findings_.AddAt(chunk.header(), absl::StrFormat("the index has another type %d than the one defined here, %s",
                                                    definition.id, definition.type.name));
  }
  return absl::OkStatus();
}

absl::Status IndexCheck::CheckCommit(ChunkReader& chunk, std::uint64_t& new_streams) {
  const CommitView& commit = chunk.commit();
  erased_ = erased_ || commit.tombstone;
  if (!commit.command_id.empty()) EVERFOLD_RETURN_IF_ERROR(CheckCommand(chunk));
  tagged_.clear();
  while (chunk.NextStream()) {
    const StreamView& stream = chunk.stream();
    if (stream.event_count == 0) continue;
    new_streams += stream.first_version == Version(1);
    ++counts_.streams;
    counts_.events += stream.event_count;
    EVERFOLD_RETURN_IF_ERROR(
        CheckStream(chunk, {std::string(commit.tenant), std::string(stream.aggregate), std::string(stream.id)}));
    EVERFOLD_RETURN_IF_ERROR(CollectTags(chunk));
  }
  return CheckTags(chunk);
}

absl::Status IndexCheck::CheckCommand(const ChunkReader& chunk) {
  const CommitView& commit = chunk.commit();
  if (commit.recorded_at < commands_since_) return absl::OkStatus();
  ++counts_.commands;
  const EventType* const type = index_.types().Find(chunk.header().partition, commit.command_type);
  if (type == nullptr || damaged_) return absl::OkStatus();  // found already
  const auto places = index_.FindCommand(KeyOf(commit, *type));
  if (!places.ok()) return Found(places.status());
  const bool found = std::find(places->begin(), places->end(), PlaceOf(chunk.header(), commit)) != places->end();
  if (!found && commit.recorded_at >= index_.CommandsSince()) {
    findings_.AddAt(chunk.header(), absl::StrFormat("the index does not have command %s of commit %d",
                                                    commit.command_id, commit.sequence.value()));
  }
  return absl::OkStatus();
}

absl::Status IndexCheck::CheckStream(const ChunkReader& chunk, const StreamId& stream) {
  if (damaged_) return absl::OkStatus();
  return Found(CheckPlace(chunk, stream, /*again=*/false));
}

// Asks for the commit before, this one and the next one. Where an entry of the index begins is compared with the log;
// where it ends is the next one's beginning.
absl::Status IndexCheck::CheckPlace(const ChunkReader& chunk, const StreamId& stream, bool again) {
  const StreamView& view = chunk.stream();
  const StreamPlace place{view.first_version, view.first_offset};
  const Version before(view.first_version.value() < 2 ? 0 : view.first_version.value() - 2);
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<StreamPlace> places, index_.PlacesAfter(stream, before, 3));
  const auto found = std::find(places.begin(), places.end(), place);
  if (found == places.end()) {
    findings_.AddAt(chunk.header(),
                    absl::StrFormat("the index does not have version %d of %s at offset %d",
                                    place.first_version.value(), stream.ToString(), place.first_offset.value()));
    return absl::OkStatus();
  }
  if (found == places.begin() && place.first_version > Version(1) && !again) {
    EVERFOLD_ASSIGN_OR_RETURN(const std::vector<StreamPlace> first, index_.PlacesAfter(stream, Version(), 1));
    // Between this one and the one before the hole was met there.
    if (!first.empty() && first.front() == place) CheckHole(chunk, stream, Version(1), place.first_version);
  }
  return CheckNext(chunk, stream, found + 1 == places.end() ? nullptr : &*(found + 1), again);
}

absl::Status IndexCheck::CheckNext(const ChunkReader& chunk, const StreamId& stream, const StreamPlace* next,
                                   bool again) {
  const Version behind = chunk.stream().first_version.Plus(chunk.stream().event_count);
  if (next != nullptr) {
    CheckHole(chunk, stream, behind, next->first_version);
    return absl::OkStatus();
  }
  EVERFOLD_ASSIGN_OR_RETURN(const Version version, index_.VersionOf(stream));
  if (version.Next() == behind) return absl::OkStatus();
  if (version.Next() > behind && !again) return CheckPlace(chunk, stream, /*again=*/true);  // it has grown meanwhile
  findings_.AddAt(chunk.header(), absl::StrFormat("%s ends with version %d here, with version %d by the index",
                                                  stream.ToString(), behind.value() - 1, version.value()));
  return absl::OkStatus();
}

void IndexCheck::CheckHole(const ChunkReader& chunk, const StreamId& stream, Version from, Version to) {
  if (from == to) return;
  findings_.AddAt(chunk.header(), absl::StrFormat("%s goes on with version %d behind version %d", stream.ToString(),
                                                  to.value(), from.value() - 1));
}

absl::Status IndexCheck::CollectTags(ChunkReader& chunk) {
  while (chunk.NextEvent()) {
    const EventView& event = chunk.event();
    NoteLatest(chunk);
    if (event.tag_count == 0) continue;
    EVERFOLD_ASSIGN_OR_RETURN(const std::vector<std::string> tags, chunk.DecodeTags());
    const Position position{chunk.header().partition, event.offset};
    for (const std::string& tag : tags) tagged_.push_back({tag, {chunk.commit().sequence, position, event.type}});
  }
  return absl::OkStatus();
}

void IndexCheck::NoteLatest(const ChunkReader& chunk) {
  const PartitionId partition = chunk.header().partition;
  const EventType* const type = index_.types().Find(partition, chunk.event().type);
  if (type == nullptr) return;  // found already
  const TaggedEvent event{chunk.commit().sequence, {partition, chunk.event().offset}, chunk.event().type};
  TaggedEvent& latest = latest_[{std::string(chunk.commit().tenant), type->name}];
  if (std::tie(latest.sequence, latest.position) < std::tie(event.sequence, event.position)) latest = event;
}

// The index may have a later one meanwhile, and what was erased.
absl::Status IndexCheck::CheckLatest(Sequence upto) {
  for (const auto& [name, latest] : latest_) {
    const auto& [tenant, type] = name;
    EVERFOLD_ASSIGN_OR_RETURN(const std::optional<TaggedEvent> known, index_.LatestOf(tenant, type));
    const bool is_later =
        known.has_value() && (known->sequence > upto || (erased_ && known->sequence > latest.sequence));
    if (known == latest || is_later) continue;
    findings_.AddOfIndex(absl::StrFormat("it has commit %d as the last one with an event %s, the log has commit %d",
                                         known.has_value() ? known->sequence.value() : 0, type,
                                         latest.sequence.value()));
  }
  return absl::OkStatus();
}

absl::Status IndexCheck::CheckTags(const ChunkReader& chunk) {
  const auto in_order = [](const Tagged& a, const Tagged& b) {
    return std::tie(a.first, a.second.position) < std::tie(b.first, b.second.position);
  };
  std::sort(tagged_.begin(), tagged_.end(), in_order);
  tagged_.erase(std::unique(tagged_.begin(), tagged_.end()), tagged_.end());
  counts_.tags += tagged_.size();
  for (std::size_t begin = 0, end = 0; begin < tagged_.size(); begin = end) {
    while (end < tagged_.size() && tagged_[end].first == tagged_[begin].first) ++end;
    if (!damaged_) EVERFOLD_RETURN_IF_ERROR(Found(CheckTag(chunk, begin, end)));
  }
  return absl::OkStatus();
}

// The commit may have events with this tag in other partitions too: the limit grows until all of it is there.
absl::Status IndexCheck::CheckTag(const ChunkReader& chunk, std::size_t begin, std::size_t end) {
  const std::string& tag = tagged_[begin].first;
  const Sequence sequence = chunk.commit().sequence;
  std::vector<TaggedEvent> events;
  for (std::size_t limit = 2 * (end - begin);; limit *= 2) {
    EVERFOLD_ASSIGN_OR_RETURN(events,
                              index_.TaggedAfter(chunk.commit().tenant, tag, Sequence(sequence.value() - 1), limit));
    if (events.size() < limit || events.back().sequence > sequence) break;
  }
  for (std::size_t i = begin; i < end; ++i) {
    if (std::find(events.begin(), events.end(), tagged_[i].second) != events.end()) continue;
    findings_.AddAt(chunk.header(), absl::StrFormat("the index does not have tag %s of the event at offset %d", tag,
                                                    tagged_[i].second.position.offset.value()));
  }
  return absl::OkStatus();
}

absl::Status IndexCheck::End(const LogTail& tail) {
  if (damaged_) return absl::OkStatus();
  EVERFOLD_RETURN_IF_ERROR(Found(CheckLatest(tail.last_sequence)));
  if (damaged_) return absl::OkStatus();
  const absl::StatusOr<EntryCounts> counts = index_.CountEntries(tail);
  if (!counts.ok()) return Found(counts.status());
  Compare("entries of streams", counts->streams, counts_.streams);
  Compare("events in its entries of streams", counts->events, counts_.events);
  Compare("entries of tags", counts->tags, counts_.tags);
  const bool same_commands = index_.CommandsSince() == commands_since_;  // while it was read
  if (same_commands) Compare("entries of commands", counts->commands, counts_.commands);
  return absl::OkStatus();
}

// An index that was there before something was erased still has its tags and its command, and one that is built anew
// does not.
void IndexCheck::Compare(const char* what, std::uint64_t in_index, std::uint64_t in_log) {
  if (in_index == in_log || (in_index > in_log && erased_)) return;
  findings_.AddOfIndex(absl::StrFormat("it has %d %s, the log has %d", in_index, what, in_log));
}

absl::Status IndexCheck::Found(const absl::Status& status) {
  if (!IsDamage(status)) return status;
  damaged_ = true;
  findings_.AddOfIndex(std::string(status.message()));
  return absl::OkStatus();
}

}  // namespace everfold
