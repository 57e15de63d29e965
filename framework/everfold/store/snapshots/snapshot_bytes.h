// A snapshot as it is stored: `format (1 byte) key (32) version (varint) state`. The file's own checksums cover it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "everfold/store/snapshots/snapshot_store.h"

namespace everfold {

std::string EncodeSnapshot(const Snapshot& snapshot, std::string_view key);
// nullopt if it was saved under another key, or by a program with another format. DATA_LOSS if it is no snapshot.
absl::StatusOr<std::optional<Snapshot>> DecodeSnapshot(std::string_view bytes, std::string_view key);

}  // namespace everfold
