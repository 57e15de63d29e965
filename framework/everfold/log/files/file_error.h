// What a file system's refusal is to its callers: one place, so that every implementation of Files says it alike.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace everfold {

// "cannot write /store/journal: No space left on device". `error_number` is an errno: ENOSPC and EDQUOT are
// RESOURCE_EXHAUSTED (DISK_FULL), all others INTERNAL (STORAGE_FAILED).
absl::Status FileError(const char* operation, const std::string& path, int error_number);

// NOT_FOUND: the file is not there. For Open alone; elsewhere a missing file is an error like others.
absl::Status NoSuchFile(const std::string& path);

}  // namespace everfold
