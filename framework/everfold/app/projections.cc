#include "everfold/app/projections.h"

#include <cstdio>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "everfold/app/dropped_stream.h"
#include "everfold/app/print_error.h"
#include "everfold/app/progress_bar.h"
#include "everfold/base/counted.h"
#include "everfold/base/duration.h"
#include "everfold/base/status.h"
#include "everfold/base/timestamp.h"
#include "everfold/event/event_key.h"
#include "everfold/event/stream_id.h"
#include "everfold/rpc/projection_client.h"

namespace everfold {
namespace {

constexpr std::size_t kMaxPayloadShown = 2000;
constexpr std::size_t kMaxValueShown = 500;

const char* NameOf(v1::ProjectionState state) {
  switch (state) {
    case v1::PROJECTION_STATE_RUNNING:
      return "running";
    case v1::PROJECTION_STATE_STALE:
      return "stale";
    case v1::PROJECTION_STATE_DAMAGED:
      return "damaged";
    case v1::PROJECTION_STATE_PAUSED:
      return "paused";
    case v1::PROJECTION_STATE_STOPPED:
      return "stopped";
    default:
      return "unknown";
  }
}

std::string LagOf(const v1::ProjectionInfo& info) {
  if (info.lag_events() == 0) return "-";
  return absl::FormatDuration(absl::Trunc(DurationOf(info.lag()), absl::Milliseconds(1)));
}

std::string VersionOf(std::uint32_t version) { return version == 0 ? "-" : absl::StrFormat("%d", version); }

v1::ProjectionPartition Sum(const v1::ProjectionInfo& info) {
  v1::ProjectionPartition sum;
  for (const v1::ProjectionPartition& partition : info.partitions()) {
    sum.mutable_applied()->set_count(sum.applied().count() + partition.applied().count());
    sum.mutable_parked()->set_count(sum.parked().count() + partition.parked().count());
    sum.mutable_dropped()->set_count(sum.dropped().count() + partition.dropped().count());
  }
  return sum;
}

std::string NotesOn(const v1::ProjectionInfo& info) {
  std::string notes;
  if (info.has_error()) absl::StrAppendFormat(&notes, "  %s: %s\n", info.name(), info.error().message());
  if (!info.rebuild_cause().empty())
    absl::StrAppendFormat(&notes, "  %s: is built anew, because %s\n", info.name(), info.rebuild_cause());
  if (info.stalled()) absl::StrAppendFormat(&notes, "  %s: there are events, and it does not move\n", info.name());
  if (info.has_rebuild()) {
    absl::StrAppendFormat(&notes, "  %s: version %d is being built, %s of %s%s\n", info.name(),
                          info.rebuild().version(), Grouped(info.rebuild().events()),
                          Counted(info.rebuild().total(), "event"), info.rebuild().rollback() ? " (a rollback)" : "");
    if (info.rebuild().has_error())
      absl::StrAppendFormat(&notes, "  %s: %s\n", info.name(), info.rebuild().error().message());
  }
  return notes;
}

// What is live, and what a rollback would go to.
std::string FormatSwapped(const ProjectionClient::Swapped& swapped) {
  const std::string live = absl::StrFormat("queries see version %d", swapped.version);
  return swapped.previous == 0 ? live : absl::StrFormat("%s, version %d is kept", live, swapped.previous);
}

template <class Result>
absl::StatusOr<Result> Follow(
    ProjectionClient& client, const std::string& projection,
    absl::StatusOr<Result> (ProjectionClient::*operation)(const std::string&, const ProjectionClient::OnProgress&)) {
  VerbProgressBar bar("events");
  return (client.*operation)(
      projection, [&bar](const v1::ProjectionRebuild& rebuild) { bar.Update(rebuild.events(), rebuild.total()); });
}

// A value as SQLite spells it, which leaves what is not printable as it is.
std::string Spelled(const std::string& value) { return PrintableText(value, kMaxValueShown); }

void AppendRow(const v1::CompareProjectionResponse& comparison, const v1::RowDifference& row, std::string& text) {
  switch (row.change()) {
    case v1::ROW_CHANGE_ADDED:
      absl::StrAppendFormat(&text, "    only in version %d: %s\n", comparison.new_version(), Spelled(row.key()));
      return;
    case v1::ROW_CHANGE_REMOVED:
      absl::StrAppendFormat(&text, "    only in version %d: %s\n", comparison.version(), Spelled(row.key()));
      return;
    default:
      absl::StrAppendFormat(&text, "    %s differs\n", Spelled(row.key()));
  }
  for (const v1::ColumnDifference& column : row.columns()) {
    absl::StrAppendFormat(&text, "      %s: %s, in version %d %s\n", column.column(), Spelled(column.current()),
                          comparison.new_version(), Spelled(column.new_()));
  }
}

absl::Status PrintList(ProjectionClient& client) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<v1::ProjectionInfo> projections, client.List());
  absl::PrintF("%s", FormatProjections(projections));
  return absl::OkStatus();
}

absl::Status RunOn(ProjectionClient& client, const CommandLine& line) {
  const std::string& name = line.projection;
  switch (line.projection_action) {
    case ProjectionAction::kList:
      return PrintList(client);
    case ProjectionAction::kPause:
      EVERFOLD_RETURN_IF_ERROR(client.Pause(name));
      absl::PrintF("%s: paused\n", name);
      return absl::OkStatus();
    case ProjectionAction::kResume:
      EVERFOLD_RETURN_IF_ERROR(client.Resume(name));
      absl::PrintF("%s: resumed\n", name);
      return absl::OkStatus();
    case ProjectionAction::kRebuild: {
      EVERFOLD_ASSIGN_OR_RETURN(const auto swapped, Follow(client, name, &ProjectionClient::Rebuild));
      absl::PrintF("%s: rebuilt; %s\n", name, FormatSwapped(swapped));
      return absl::OkStatus();
    }
    case ProjectionAction::kCompare: {
      EVERFOLD_ASSIGN_OR_RETURN(const auto comparison, Follow(client, name, &ProjectionClient::Compare));
      absl::PrintF("%s", FormatComparison(name, comparison));
      return absl::OkStatus();
    }
    case ProjectionAction::kReset:
      EVERFOLD_RETURN_IF_ERROR(client.Reset(name));
      absl::PrintF("%s: reset; it begins at the beginning of the log\n", name);
      return absl::OkStatus();
    case ProjectionAction::kWait:
      EVERFOLD_RETURN_IF_ERROR(client.WaitFor(
          name, line.timeout_seconds == 0 ? absl::InfiniteDuration() : absl::Seconds(line.timeout_seconds)));
      absl::PrintF("%s: has taken in all that there was\n", name);
      return absl::OkStatus();
    case ProjectionAction::kRollback: {
      EVERFOLD_ASSIGN_OR_RETURN(const auto swapped, Follow(client, name, &ProjectionClient::Rollback));
      absl::PrintF("%s: rolled back; %s\n", name, FormatSwapped(swapped));
      return absl::OkStatus();
    }
    case ProjectionAction::kCancel:
      EVERFOLD_RETURN_IF_ERROR(client.CancelRebuild(name));
      absl::PrintF("%s: what was being built is given up\n", name);
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

void PrintTried(const std::string& key, const ProjectionClient::Tried& tried) {
  if (tried.waiting == 0) {
    absl::PrintF("%s: not parked any more\n", key);
  } else {
    absl::PrintF("%s: %s still %s\n  %s\n", key, Counted(tried.waiting, "event"), tried.waiting == 1 ? "waits" : "wait",
                 tried.error);
  }
}

absl::Status RunOnParked(ProjectionClient& client, const CommandLine& line) {
  switch (line.parked_action) {
    case ParkedAction::kList: {
      EVERFOLD_ASSIGN_OR_RETURN(const auto keys, client.ParkedKeys(line.projection));
      absl::PrintF("%s", FormatParkedKeys(keys));
      return absl::OkStatus();
    }
    case ParkedAction::kShow: {
      EVERFOLD_ASSIGN_OR_RETURN(const auto events, client.ParkedEvents(line.projection, line.key));
      absl::PrintF("%s", FormatParkedEvents(events));
      return absl::OkStatus();
    }
    case ParkedAction::kRetry: {
      EVERFOLD_ASSIGN_OR_RETURN(const ProjectionClient::Tried tried, client.Retry(line.projection, line.key));
      PrintTried(line.key, tried);
      return absl::OkStatus();
    }
    case ParkedAction::kDrop: {
      EVERFOLD_ASSIGN_OR_RETURN(const StreamId stream, DroppedStream(line));
      EVERFOLD_ASSIGN_OR_RETURN(const ProjectionClient::Tried tried,
                                client.Drop(line.projection, line.key, stream, line.version, line.reason));
      PrintTried(line.key, tried);
      return absl::OkStatus();
    }
  }
  return absl::OkStatus();
}

ExitCode Run(const std::string& app, const CommandLine& line,
             absl::Status (*run)(ProjectionClient&, const CommandLine&)) {
  const auto client = ProjectionClient::Open(line.address);
  const absl::Status status = client.ok() ? run(**client, line) : client.status();
  if (status.ok()) return ExitCode::kOk;
  PrintError(app, status);
  return ExitCodeOf(status);
}

}  // namespace

std::string FormatProjections(const std::vector<v1::ProjectionInfo>& projections) {
  std::string text = absl::StrFormat("%-24s %-8s %8s %8s %8s %12s %10s %14s %10s %8s\n", "projection", "state",
                                     "revision", "version", "kept", "behind", "lag", "applied", "parked", "dropped");
  std::string notes;
  for (const v1::ProjectionInfo& info : projections) {
    const v1::ProjectionPartition sum = Sum(info);
    absl::StrAppendFormat(&text, "%-24s %-8s %8d %8s %8s %12s %10s %14s %10s %8s\n", info.name(), NameOf(info.state()),
                          info.revision(), VersionOf(info.version()), VersionOf(info.previous_version()),
                          Grouped(info.lag_events()), LagOf(info), Grouped(sum.applied().count()),
                          Grouped(sum.parked().count()), Grouped(sum.dropped().count()));
    notes += NotesOn(info);
  }
  return text + notes;
}

std::string FormatComparison(const std::string& projection, const v1::CompareProjectionResponse& comparison) {
  std::string text =
      absl::StrFormat("%s: version %d, which is queried, and version %d, both as of %s\n", projection,
                      comparison.version(), comparison.new_version(), Counted(comparison.events(), "event"));
  for (const v1::TableDifference& table : comparison.tables()) {
    const std::uint64_t differ = table.added() + table.removed() + table.changed();
    absl::StrAppendFormat(&text, "  %s: %s, %s\n", table.table(), Counted(table.rows(), "row"),
                          differ == 0 ? "the same in both"
                                      : absl::StrFormat("%s more, %s fewer, %s changed", Grouped(table.added()),
                                                        Grouped(table.removed()), Grouped(table.changed())));
    for (const v1::RowDifference& row : table.examples()) AppendRow(comparison, row, text);
  }
  return text + absl::StrFormat(
                    "version %d is kept: `projections rebuild %s` swaps it in, `projections cancel %s` gives "
                    "it up\n",
                    comparison.new_version(), projection, projection);
}

std::string FormatParkedKeys(const std::vector<v1::ParkedKey>& keys) {
  if (keys.empty()) return "no key is parked\n";
  std::string text;
  for (const v1::ParkedKey& key : keys) {
    absl::StrAppendFormat(
        &text, "%s: %s %s, tried %s, recorded %s\n  %s\n", ShownText(key.key()), Counted(key.events(), "event"),
        key.events() == 1 ? "waits" : "wait", Counted(key.attempts(), "time"),
        absl::FormatTime(absl::RFC3339_sec, TimeOf(key.park_time()), absl::UTCTimeZone()), key.error());
  }
  return text;
}

std::string FormatParkedEvents(const std::vector<v1::ParkedEvent>& events) {
  std::string text;
  for (const v1::ParkedEvent& event : events) {
    absl::StrAppendFormat(&text, "%s %s version %d, offset %d of partition %d, sequence %d\n", event.type(),
                          StreamForPeople(event.stream(), event.tenant()), event.version(), event.offset(),
                          event.partition(), event.sequence());
    if (!event.json().empty()) {
      absl::StrAppendFormat(&text, "  %s\n", event.json().substr(0, kMaxPayloadShown));
    } else {
      absl::StrAppendFormat(&text, "  %s not shown: this application does not read them\n",
                            Counted(event.payload().size(), "byte"));
    }
  }
  return text;
}

ExitCode Projections(const std::string& app, const CommandLine& line) { return Run(app, line, &RunOn); }

ExitCode Parked(const std::string& app, const CommandLine& line) { return Run(app, line, &RunOnParked); }

}  // namespace everfold
