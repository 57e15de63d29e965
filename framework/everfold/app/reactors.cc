#include "everfold/app/reactors.h"

#include <memory>

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
#include "everfold/rpc/reactor_client.h"

namespace everfold {
namespace {

std::string LagOf(const v1::ReactorInfo& info) {
  if (info.lag_events() == 0) return "-";
  return absl::FormatDuration(absl::Trunc(DurationOf(info.lag()), absl::Milliseconds(1)));
}

absl::Status Print(const std::string& text) {
  absl::PrintF("%s", text);
  return absl::OkStatus();
}

absl::Status RunOn(ReactorClient& client, const CommandLine& line) {
  const std::string& name = line.reactor;
  switch (line.reactor_action) {
    case ReactorAction::kList: {
      EVERFOLD_ASSIGN_OR_RETURN(const std::vector<v1::ReactorInfo> reactors, client.List());
      return Print(FormatReactors(reactors));
    }
    case ReactorAction::kWaiting: {
      EVERFOLD_ASSIGN_OR_RETURN(const std::vector<v1::WaitingReaction> reactions, client.Waiting(name));
      return Print(FormatWaitingReactions(reactions));
    }
    case ReactorAction::kPause:
      EVERFOLD_RETURN_IF_ERROR(client.Pause(name));
      return Print(name + ": paused\n");
    case ReactorAction::kResume:
      EVERFOLD_RETURN_IF_ERROR(client.Resume(name));
      return Print(name + ": resumed\n");
    case ReactorAction::kReset: {
      const auto to = line.to_head ? v1::REACTOR_RESET_TO_HEAD : v1::REACTOR_RESET_TO_AS_IT_WAS;
      EVERFOLD_RETURN_IF_ERROR(client.Reset(name, to, line.reason));
      return Print(name + (line.to_head ? ": goes on at the head of the log\n" : ": goes on where it was\n"));
    }
    case ReactorAction::kRetry:
      EVERFOLD_RETURN_IF_ERROR(client.Retry(name, line.key));
      return Print((line.all ? "all" : line.key) + ": tried again; `reactors waiting` tells what comes of it\n");
    case ReactorAction::kDrop: {
      EVERFOLD_ASSIGN_OR_RETURN(const StreamId stream, DroppedStream(line));
      EVERFOLD_RETURN_IF_ERROR(client.Drop(name, line.key, stream, line.version, line.reason));
      return Print(absl::StrFormat("%s: version %d is dropped\n", KeyOfStream(stream), line.version));
    }
  }
  return absl::OkStatus();
}

}  // namespace

const char* NameOf(v1::ReactorState state) {
  switch (state) {
    case v1::REACTOR_STATE_RUNNING:
      return "running";
    case v1::REACTOR_STATE_PAUSED:
      return "paused";
    case v1::REACTOR_STATE_STOPPED:
      return "stopped";
    default:
      return "unknown";
  }
}

std::string FormatReactors(const std::vector<v1::ReactorInfo>& reactors) {
  std::string text = absl::StrFormat("%-24s %-8s %12s %10s %14s %8s %8s %8s\n", "reactor", "state", "behind", "lag",
                                     "done", "taken", "waiting", "parked");
  std::string notes;
  for (const v1::ReactorInfo& info : reactors) {
    absl::StrAppendFormat(&text, "%-24s %-8s %12s %10s %14s %8s %8s %8s\n", info.name(), NameOf(info.state()),
                          Grouped(info.lag_events()), LagOf(info), Grouped(info.done_events()),
                          Grouped(info.taken_keys()), Grouped(info.waiting_keys()), Grouped(info.parked_keys()));
    if (info.has_error()) absl::StrAppendFormat(&notes, "  %s: %s\n", info.name(), info.error().message());
  }
  return text + notes;
}

std::string FormatWaitingReactions(const std::vector<v1::WaitingReaction>& reactions) {
  if (reactions.empty()) return "no key waits\n";
  std::string text;
  for (const v1::WaitingReaction& reaction : reactions) {
    const std::string next =
        reaction.parked() ? "parked"
                          : "again at " + absl::FormatTime(absl::RFC3339_sec, TimeOf(reaction.next_attempt_time()),
                                                           absl::UTCTimeZone());
    absl::StrAppendFormat(&text, "%s: %s version %d, tried %s times, %s\n  %s\n", ShownText(reaction.key()),
                          StreamForPeople(reaction.stream(), reaction.tenant()), reaction.version(),
                          Grouped(reaction.attempts()), next, reaction.error());
  }
  return text;
}

ExitCode Reactors(const std::string& app, const CommandLine& line) {
  const auto client = ReactorClient::Open(line.address);
  const absl::Status status = client.ok() ? RunOn(**client, line) : client.status();
  if (status.ok()) return ExitCode::kOk;
  PrintError(app, status);
  return ExitCodeOf(status);
}

}  // namespace everfold
