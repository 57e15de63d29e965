// Errors of what is stored, in our terms.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "everfold/base/error.h"

namespace rocksdb {
class Status;
}  // namespace rocksdb

namespace everfold {

// DATA_LOSS with the reason of that name.
inline absl::Status DataLoss(const std::string& message) {
  return Error(absl::StatusCode::kDataLoss, reason::kDataLoss, message);
}

// OK; DATA_LOSS for damaged or missing bytes; RESOURCE_EXHAUSTED (DISK_FULL) where there is no room; FAILED_PRECONDITION
// (STORE_LOCKED) if somebody else holds the database; else INTERNAL (STORAGE_FAILED). `what` was being done where.
absl::Status StatusOf(const rocksdb::Status& status, const std::string& what);

}  // namespace everfold
