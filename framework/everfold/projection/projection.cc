#include "everfold/projection/projection.h"

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/projection/projection_runner.h"
#include "everfold/projection/projection_type_checks.h"

namespace everfold {
namespace {

absl::Status Validate(const ProjectionRunnerOptions& options, const ProjectionType& type) {
  EVERFOLD_RETURN_IF_ERROR(ValidateProjectionType(type));
  if (options.max_batch_events >= 1 && options.max_rebuild_batch_events >= 1) return absl::OkStatus();
  return Error(
      absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
      absl::StrFormat("projection %s: max_batch_events and max_rebuild_batch_events are 1 or more, not %d and %d",
                      type.name, options.max_batch_events, options.max_rebuild_batch_events));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Projection>> Projection::Open(ProjectionRunnerOptions options, ProjectionType type,
                                                             EventStore& store, Executor& executor) {
  EVERFOLD_RETURN_IF_ERROR(Validate(options, type));
  static const SystemClock* const system_clock = new SystemClock;
  if (options.files == nullptr) options.files = &PosixFiles();
  if (options.clock == nullptr) options.clock = system_clock;
  return ProjectionRunner::Open(std::move(options), std::move(type), store, executor);
}

}  // namespace everfold
