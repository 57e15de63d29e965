// Are the files of an index what was written? Reads them one by one, whether the index opens or not.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "everfold/log/files/files.h"
#include "everfold/store/verify_log.h"

namespace everfold {

// True if there is an index in the directory, or what is left of one.
absl::StatusOr<bool> HoldsIndex(Files& files, const std::string& directory);

// A finding, naming the file, for each file of entries of which a checksum does not hold. REQUIRES: nobody writes to
// the index. INTERNAL (STORAGE_FAILED) if the directory cannot be listed.
absl::StatusOr<std::vector<Finding>> CheckIndexFiles(Files& files, const std::string& directory);

}  // namespace everfold
