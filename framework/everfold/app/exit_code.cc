#include "everfold/app/exit_code.h"

#include "everfold/base/error.h"

namespace everfold {

ExitCode ExitCodeOf(const absl::Status& status) {
  const std::string reason = ReasonOf(status);
  if (reason == reason::kStoreLocked) return ExitCode::kDataInUse;
  if (reason == reason::kStoreMismatch || reason == reason::kStoreIncomplete) return ExitCode::kUsage;
  if (absl::IsInvalidArgument(status)) return ExitCode::kUsage;
  if (absl::IsDataLoss(status)) return ExitCode::kDataDamaged;
  return ExitCode::kFatal;
}

}  // namespace everfold
