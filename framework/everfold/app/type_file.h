// The file `types` of a data directory: descriptions of the event types that the application has written
// (docs/formats/types.md).
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/log/files/files.h"
#include "everfold/v1/type_description.pb.h"

namespace everfold {

// Nothing if there is no file. FAILED_PRECONDITION (FORMAT_UNKNOWN) if a newer program wrote it, DATA_LOSS if it is
// damaged.
absl::StatusOr<v1::TypeDescriptions> ReadTypeFile(Files& files, const std::string& path);

// Durable when it returns; after a crash there is either what was before or all of it.
absl::Status WriteTypeFile(Files& files, const std::string& path, const v1::TypeDescriptions& types);

}  // namespace everfold
