// From memory to files.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "everfold/store/index/index_checkpoint.h"
#include "everfold/store/index/index_database.h"
#include "everfold/store/index/index_generation.h"

namespace everfold {

// Keys of the checkpoint's column family.
inline constexpr std::string_view kCheckpointKey = "checkpoint";
inline constexpr std::string_view kIdentityKey = "identity";

// Writes a sorted file for each kind of entries, and installs all of them together with the checkpoint.
absl::Status WriteGeneration(IndexDatabase& database, const IndexGeneration& generation,
                             const IndexCheckpoint& checkpoint, std::string_view identity);

}  // namespace everfold
