#include "everfold/app/rebuild_ahead.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/app/print_error.h"
#include "everfold/app/progress_bar.h"
#include "everfold/app/rebuild.h"
#include "everfold/app/stored_types.h"
#include "everfold/base/clock.h"
#include "everfold/base/counted.h"
#include "everfold/base/error.h"
#include "everfold/base/error_message.h"
#include "everfold/base/status.h"
#include "everfold/log/embedded/store_identity.h"
#include "everfold/log/embedded/store_parts.h"
#include "everfold/log/files/files.h"
#include "everfold/projection/ahead_build.h"
#include "everfold/projection/next_version.h"
#include "everfold/rpc/remote_feed.h"
#include "everfold/subscription/subscription.h"

namespace everfold {
namespace {

constexpr std::size_t kBatchEvents = 20'000;
// So near the head that the start has the rest folded in a moment.
constexpr std::uint64_t kNearEvents = 10'000;

// What is built of the events of one store is of no use to another.
absl::Status CheckSameStore(const CommandLine& line, const Checkpoint& head) {
  const absl::StatusOr<std::string> bytes = ReadFile(PosixFiles(), IdentityPath(line.data_directory + "/log"));
  if (absl::IsNotFound(bytes.status())) {
    return absl::InvalidArgumentError(
        absl::StrFormat("there is no store in %s; name its directory with --data DIR", line.data_directory));
  }
  EVERFOLD_RETURN_IF_ERROR(bytes.status());
  EVERFOLD_ASSIGN_OR_RETURN(const LogIdentity identity, DecodeIdentity(*bytes));
  if (identity.epoch == head.epoch) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrFormat("the application at %s has another store (epoch %s) than %s (epoch %s); name its own directory "
                      "with --data DIR",
                      line.address, head.epoch.ToString(), line.data_directory, identity.epoch.ToString()));
}

// Until it is near the head: that moves meanwhile, so it is looked at again whenever it was reached.
absl::Status Follow(AheadBuild& build, const RemoteFeed& feed) {
  VerbProgressBar bar("events");
  for (std::uint64_t behind = kNearEvents + 1; behind > kNearEvents;) {
    EVERFOLD_ASSIGN_OR_RETURN(const Checkpoint head, feed.Head());
    for (bool reached = false; !reached;) {
      EVERFOLD_ASSIGN_OR_RETURN(const PullResult folded, build.Fold(kBatchEvents));
      const std::uint64_t events = EventsBefore(build.position());
      bar.Update(events, std::max(events, EventsBefore(head)));
      reached = folded.caught_up || HasReached(build.position(), head);
    }
    EVERFOLD_ASSIGN_OR_RETURN(const Checkpoint now, feed.Head());
    const std::uint64_t events = EventsBefore(build.position());
    behind = EventsBefore(now) - std::min(events, EventsBefore(now));
  }
  return build.Complete();
}

// False if there is nothing to build.
absl::StatusOr<bool> Build(const ProjectionType& type, const std::string& directory, const RemoteFeed& feed,
                           const Checkpoint& head) {
  EVERFOLD_ASSIGN_OR_RETURN(const bool is_needed, NeedsAnotherVersion(PosixFiles(), directory, type, head));
  if (!is_needed) {
    absl::PrintF("%s: what is queried was built by this code already\n", type.name);
    return false;
  }
  const SystemClock clock;
  EVERFOLD_ASSIGN_OR_RETURN(const auto build, AheadBuild::Open(PosixFiles(), directory, type, feed, head, clock));
  if (!build->begun_anew_because().empty()) {
    absl::PrintF("%s: begun anew; what was begun before is deleted: %s\n", type.name, build->begun_anew_because());
  }
  if (const absl::Status followed = Follow(*build, feed); !followed.ok()) {
    return WithMore(followed,
                    "; the same command goes on from a few seconds before, unless the application is started again by "
                    "its old program, which deletes what was built");
  }
  absl::PrintF("%s: built ahead, as of %s\n", type.name, Counted(EventsBefore(build->position()), "event"));
  if (build->parked_keys() > 0) {
    absl::PrintF("%s: %s parked; the start keeps the old version if that could handle them\n", type.name,
                 Counted(build->parked_keys(), "key is", "keys are"));
  }
  return true;
}

absl::Status Run(const Parts& parts, const CommandLine& line) {
  EVERFOLD_RETURN_IF_ERROR(parts.Validate());
  EVERFOLD_ASSIGN_OR_RETURN(std::vector<ProjectionType> types, SelectProjections(parts, line.projections));
  AddStoredForms(parts.aggregates, types);
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<RemoteFeed> feed, RemoteFeed::Open(line.address));
  EVERFOLD_ASSIGN_OR_RETURN(const Checkpoint head, feed->Head());
  EVERFOLD_RETURN_IF_ERROR(CheckSameStore(line, head));
  bool has_built = false;
  for (const ProjectionType& type : types) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool was_needed, Build(type, line.data_directory + "/read", *feed, head));
    has_built = has_built || was_needed;
  }
  if (!has_built) return absl::OkStatus();
  absl::PrintF("Stop the application at %s, and start this one: it takes over what was built, and folds what is new.\n",
               line.address);
  return absl::OkStatus();
}

}  // namespace

ExitCode RebuildAhead(const std::string& app, const Parts& parts, const CommandLine& line) {
  const absl::Status status = Run(parts, line);
  if (status.ok()) return ExitCode::kOk;
  PrintError(app, status);
  return ExitCodeOf(status);
}

}  // namespace everfold
