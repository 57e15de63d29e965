#include "everfold/log/embedded/storage_error.h"

#include <rocksdb/status.h>

namespace everfold {

absl::Status StatusOf(const rocksdb::Status& status, const std::string& what) {
  if (status.ok()) return absl::OkStatus();
  const std::string message = what + ": " + status.ToString();
  if (status.IsCorruption() || status.IsPathNotFound()) return DataLoss(message);
  if (status.IsNoSpace()) return Error(absl::StatusCode::kResourceExhausted, reason::kDiskFull, message);
  const bool locked = status.IsIOError() && message.find("lock ") != std::string::npos;
  if (locked) return Error(absl::StatusCode::kFailedPrecondition, reason::kStoreLocked, message);
  return Error(absl::StatusCode::kInternal, reason::kStorageFailed, message);
}

}  // namespace everfold
