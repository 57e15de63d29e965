#include "everfold/projection/projection_type_checks.h"

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/stream_id.h"
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

}  // namespace

absl::Status ValidateProjectionType(const ProjectionType& type) {
  EVERFOLD_RETURN_IF_ERROR(ValidateName(type));
  if (type.revision >= 1) return ValidateSchemas(type.read_models);
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
               absl::StrFormat("projection %s: its revision is 1 or more, not %d", type.name, type.revision));
}

}  // namespace everfold
