#include "everfold/projection/projection.h"

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/projection/projection_runner.h"
#include "everfold/projection/read_model_sql.h"

namespace everfold {
namespace {

absl::Status ValidateName(const ProjectionType& type) {
  bool valid = !type.name.empty() && type.name[0] >= 'a' && type.name[0] <= 'z';
  for (const char c : type.name) valid = valid && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_');
  if (valid && type.name.size() <= kMaxAggregateNameBytes) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
               absl::StrFormat("projection name \"%s\" is not of the form [a-z][a-z0-9_]*, at most %d bytes", type.name,
                               kMaxAggregateNameBytes));
}

absl::Status Validate(const ProjectionRunnerOptions& options, const ProjectionType& type) {
  EVERFOLD_RETURN_IF_ERROR(ValidateName(type));
  if (type.revision < 1 || options.max_batch_events < 1 || options.max_rebuild_batch_events < 1) {
    return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                 absl::StrFormat("projection %s: revision and max_batch_events are 1 or more", type.name));
  }
  return ValidateSchemas(type.read_models);
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
