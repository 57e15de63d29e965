// Is what a projection says it has taken in what the log has for it?
#pragma once

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "everfold/event/position.h"
#include "everfold/log/files/files.h"
#include "everfold/projection/projection_type.h"
#include "everfold/projection/read_model_file.h"
#include "everfold/runtime/executor.h"
#include "everfold/store/event_store.h"

namespace everfold {

struct VerifiedReadModel {
  std::string projection;
  std::uint32_t version = 0;               // of its read models; 0: there is none
  PartitionTally tally = {};               // of all partitions
  bool other_code = false;                 // built by other code, whose events are not known: not compared
  std::vector<std::string> findings = {};  // what is not as it must be; none if all is well
};

// In each partition, as of the checkpoint: what the log has for the projection = applied + parked + dropped, in number
// and digest. One line for each partition where that is not so. Reads the whole log up to there; `on_progress` is told
// how many events have been passed, and ends it by an error. It may be used while the projection runs, with checkpoint
// and tallies of one moment. With `read_ahead` the log is read ahead there (SubscriptionOptions).
//   OUT_OF_RANGE, FAILED_PRECONDITION  a checkpoint that is not of this log
using OnVerifyProgress = absl::FunctionRef<absl::Status(std::uint64_t events)>;
absl::StatusOr<std::vector<std::string>> VerifyTallies(
    const ProjectionType& type, const EventStore& store, const Checkpoint& checkpoint,
    const std::vector<PartitionTally>& tallies,
    OnVerifyProgress on_progress = [](std::uint64_t) { return absl::OkStatus(); }, Executor* read_ahead = nullptr);

// Of the file that is queried, while no projection has it open. Its parked events must be what the tally says, too.
absl::StatusOr<VerifiedReadModel> VerifyReadModel(Files& files, const std::string& directory,
                                                  const ProjectionType& type, const EventStore& store,
                                                  Executor* read_ahead = nullptr);

}  // namespace everfold
