#include "tests/simulation/store_contents.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "everfold/base/status.h"
#include "everfold/subscription/subscription.h"

namespace everfold {
namespace {

std::string Describe(const RecordedEvent& event) {
  return absl::StrFormat("%d/%d %s v%d %s at %d, recorded %d, by %s, tags %s: %s", event.position.partition.value(),
                         event.position.offset.value(), event.stream.stream.ToString(), event.version.value(),
                         event.event.type, absl::ToUnixMicros(event.event.event_time),
                         absl::ToUnixMicros(event.commit.recorded_at), event.commit.metadata.actor,
                         absl::StrJoin(event.event.tags, ","), event.event.payload);
}

absl::Status ReadCommits(const EventStore& store, std::map<Sequence, StoredCommit>& commits) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<Subscription> subscription, Subscription::Start(store, {}));
  const auto visit = [&commits](const RecordedEvent& event) {
    StoredCommit& commit = commits[event.commit.sequence];
    commit.command_id = event.commit.command.id;
    commit.payloads[event.stream.stream].emplace_back(event.event.payload);
    commit.last_versions[event.stream.stream] = event.version;
    commit.events.push_back(Describe(event));
    return absl::OkStatus();
  };
  while (true) {
    EVERFOLD_ASSIGN_OR_RETURN(const PullResult pulled, subscription->Pull(1'000'000, visit));
    if (pulled.caught_up) return absl::OkStatus();
  }
}

absl::Status ReadStreams(const EventStore& store, const StoreNames& names, StoreContents& contents) {
  for (const auto& [stream, known] : names.streams) {
    std::vector<std::string>& events = contents.streams[stream];
    EVERFOLD_RETURN_IF_ERROR(store.ReadStream(stream, {}, [&events](const RecordedEvent& event) {
      events.push_back(Describe(event));
      return absl::OkStatus();
    }));
    EVERFOLD_ASSIGN_OR_RETURN(contents.versions[stream], store.VersionOf(stream));
  }
  return absl::OkStatus();
}

absl::Status ReadCommands(const EventStore& store, const StoreNames& names, StoreContents& contents) {
  for (const auto& [id, command] : names.commands) {
    EVERFOLD_ASSIGN_OR_RETURN(const std::optional<AppendResult> result, store.FindCommand("", command));
    if (result.has_value()) contents.commands[id] = result->sequence;
  }
  return absl::OkStatus();
}

Sequence SequenceOf(const std::map<std::string, Sequence>& commands, const std::string& id) {
  const auto found = commands.find(id);
  return found == commands.end() ? Sequence() : found->second;
}

}  // namespace

absl::StatusOr<StoreContents> ReadContents(const EventStore& store, const StoreNames& names) {
  StoreContents contents;
  EVERFOLD_RETURN_IF_ERROR(ReadCommits(store, contents.commits));
  EVERFOLD_RETURN_IF_ERROR(ReadStreams(store, names, contents));
  EVERFOLD_RETURN_IF_ERROR(ReadCommands(store, names, contents));
  return contents;
}

std::vector<std::string> ContradictionsOf(const StoreContents& contents, const StoreNames& names) {
  std::vector<std::string> found;
  std::map<std::string, Sequence> commands;
  std::map<StreamId, std::size_t> events;
  for (const auto& [sequence, commit] : contents.commits) {
    if (names.commands.contains(commit.command_id)) commands[commit.command_id] = sequence;
    for (const auto& [stream, payloads] : commit.payloads) events[stream] += payloads.size();
  }
  for (const auto& [id, known] : names.commands) {
    const Sequence by_log = SequenceOf(commands, id), by_index = SequenceOf(contents.commands, id);
    if (by_log == by_index) continue;
    found.push_back(absl::StrFormat("command %s is commit %d in the log, %d by the index (0: none)", id, by_log.value(),
                                    by_index.value()));
  }
  for (const auto& [stream, read] : contents.streams) {
    if (read.size() == events[stream] && contents.versions.at(stream) == Version(read.size())) continue;
    found.push_back(absl::StrFormat("%s has %d events in the log, %d by the index, and version %d", stream.ToString(),
                                    events[stream], read.size(), contents.versions.at(stream).value()));
  }
  return found;
}

}  // namespace everfold
