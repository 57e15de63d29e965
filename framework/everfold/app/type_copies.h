// Copies of the file `types`, in backups and in stores that are made of something else: without it a store cannot tell
// whether a binary reads types that were changed since.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "everfold/log/files/files.h"

namespace everfold {

// Of a data directory.
std::string TypeFilePath(const std::string& data_directory);

// Adds the descriptions in the file `from` to those in the file `to`, durably; nothing where there is no file `from`. A
// description is named by what it describes, so that none is ever wrong, whatever store or time it is of.
//   A file `from` that is damaged, or one of the two that a newer program wrote, is no error, because no copy of a log
//   is to fail for it: nothing is copied then, and `left_out` says why. It is empty otherwise. A damaged file `to` is
//   replaced.
//   Errors: those of Files.
absl::Status CopyTypes(Files& files, const std::string& from, const std::string& to, std::string& left_out);

}  // namespace everfold
