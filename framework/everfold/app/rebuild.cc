#include "everfold/app/rebuild.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "everfold/app/engine.h"
#include "everfold/app/host.h"
#include "everfold/app/print_error.h"
#include "everfold/app/progress_bar.h"
#include "everfold/app/stored_types.h"
#include "everfold/base/counted.h"
#include "everfold/base/error.h"
#include "everfold/base/mutex.h"
#include "everfold/base/status.h"
#include "everfold/projection/projection.h"

namespace everfold {
namespace {

constexpr absl::Duration kProgressInterval = absl::Milliseconds(200);

absl::Status DeleteFiles(const std::string& directory) {
  std::error_code error;
  std::filesystem::remove_all(directory, error);
  if (!error) return absl::OkStatus();
  return absl::InternalError(absl::StrFormat("cannot delete %s: %s", directory, error.message()));
}

std::vector<Position> PositionsOf(const Checkpoint& checkpoint) {
  std::vector<Position> positions;
  for (std::uint32_t i = 0; i < checkpoint.offsets.size(); ++i) {
    if (checkpoint.offsets[i] > Offset()) positions.push_back({PartitionId(i), checkpoint.offsets[i]});
  }
  return positions;
}

void ShowProgress(VerbProgressBar& bar, const ProjectionStatus& status, std::uint64_t events) {
  if (status.rebuild.has_value()) {
    bar.Update(status.rebuild->events, status.rebuild->total);
  } else {
    bar.Update(events - std::min(events, status.lag_events), events);
  }
}

// Blocks until the projection's read models are built from the whole log: a new version, or the first one.
absl::Status Run(Projection& projection, const EventStore& store, bool is_first) {
  const std::uint64_t events = CountEvents(store);
  struct Outcome {
    Notification built;
    absl::Status status;
  };
  const auto outcome = std::make_shared<Outcome>();  // it may come after we have given up
  absl::Status failed;
  const auto done = [outcome](absl::Status result) {
    outcome->status = std::move(result);
    outcome->built.Notify();
  };
  projection.Start();
  if (is_first) {
    projection.WaitFor(PositionsOf(store.DurableHead()), done);
  } else {
    projection.Rebuild(done);
  }
  {
    VerbProgressBar bar("events");
    while (!outcome->built.WaitForNotificationWithTimeout(kProgressInterval)) {
      const ProjectionStatus now = projection.Describe();
      ShowProgress(bar, now, events);
      // It would try again for ever; here somebody waits.
      if (now.rebuild.has_value() && !now.rebuild->error.ok()) failed = now.rebuild->error;
      if (!now.error.ok()) failed = now.error;
      if (!failed.ok()) break;
    }
  }
  const std::uint64_t parked = projection.Describe().parked_keys;
  WaitForClose([&projection](Task done) { projection.Close(std::move(done)); });
  if (!failed.ok()) return failed;
  if (!outcome->status.ok()) return outcome->status;
  absl::PrintF("%s: rebuilt from %s\n", projection.type().name, Counted(events, "event"));
  if (parked > 0) {
    absl::PrintF("%s: %s parked; see `parked list` when it runs\n", projection.type().name,
                 Counted(parked, "key is", "keys are"));
  }
  return absl::OkStatus();
}

// The projections, so that they can outlive the executor's last step.
using Opened = std::vector<std::unique_ptr<Projection>>;

// What is damaged, of another history or of another format can only be replaced.
bool IsOfNoUse(const absl::Status& opened) {
  return absl::IsDataLoss(opened) || ReasonOf(opened) == reason::kOtherHistory ||
         ReasonOf(opened) == reason::kFormatUnknown;
}

absl::Status RebuildAll(std::vector<ProjectionType> types, const std::string& directory, EventStore& store, Host& host,
                        Opened& opened) {
  for (ProjectionType& type : types) {
    const std::string folder = directory + "/" + type.name;
    ProjectionRunnerOptions options;
    options.directory = directory;
    bool is_first = !std::filesystem::exists(folder);
    auto projection = Projection::Open(options, type, store, host.executor());
    if (IsOfNoUse(projection.status())) {
      // Everything in it is in the log.
      EVERFOLD_RETURN_IF_ERROR(DeleteFiles(folder));
      is_first = true;
      projection = Projection::Open(options, type, store, host.executor());
    }
    EVERFOLD_RETURN_IF_ERROR(projection.status());
    opened.push_back(*std::move(projection));
    EVERFOLD_RETURN_IF_ERROR(Run(*opened.back(), store, is_first));
  }
  return absl::OkStatus();
}

// The log is read and found undamaged before anything is deleted.
absl::Status RebuildOn(Host& host, const Parts& parts, std::vector<ProjectionType> types,
                       const std::string& data_directory) {
  EVERFOLD_ASSIGN_OR_RETURN(
      const std::unique_ptr<EventStore> store,
      EventStore::Open(host.store_options(), host.log(), host.executor(), host.clock(), host.random()));
  Opened opened;
  absl::Status status =
      CheckStoredTypes(parts.aggregates, *store, PosixFiles(), data_directory + "/types", /*logger=*/nullptr);
  if (status.ok()) {
    AddStoredForms(parts.aggregates, types);
    status = RebuildAll(std::move(types), data_directory + "/read", *store, host, opened);
  }
  WaitForClose([&store](Task done) { store->Close(std::move(done)); });
  status.Update(host.Close());
  return status;
}

absl::Status RunRebuild(const Parts& parts, const CommandLine& line) {
  EVERFOLD_RETURN_IF_ERROR(parts.Validate());
  EVERFOLD_ASSIGN_OR_RETURN(std::vector<ProjectionType> types, SelectProjections(parts, line.projections));
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<Host> host,
                            Host::Open({.data_directory = line.data_directory, .create = false}));
  return RebuildOn(*host, parts, std::move(types), line.data_directory);
}

}  // namespace

absl::StatusOr<std::vector<ProjectionType>> SelectProjections(const Parts& parts,
                                                              const std::vector<std::string>& names) {
  if (names.empty()) return parts.projections;
  std::vector<ProjectionType> selected;
  for (const std::string& name : names) {
    const auto found = std::find_if(parts.projections.begin(), parts.projections.end(),
                                    [&name](const ProjectionType& type) { return type.name == name; });
    if (found == parts.projections.end()) {
      const auto append_name = [](std::string* out, const ProjectionType& type) { out->append(type.name); };
      return absl::InvalidArgumentError(absl::StrFormat("there is no projection %s; there is: %s", name,
                                                        absl::StrJoin(parts.projections, ", ", append_name)));
    }
    selected.push_back(*found);
  }
  return selected;
}

ExitCode Rebuild(const std::string& app, const Parts& parts, const CommandLine& line) {
  const absl::Status status = RunRebuild(parts, line);
  if (status.ok()) return ExitCode::kOk;
  PrintStoreError(app, status);
  return ExitCodeOf(status);
}

}  // namespace everfold
