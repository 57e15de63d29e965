// How far the log is sealed. Format: docs/formats/store.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "everfold/event/position.h"
#include "everfold/log/embedded/journal_record.h"
#include "everfold/log/partition_log.h"

namespace everfold {

struct SealedCheckpoint {
  GroupLink group;                   // the last one that is sealed
  std::vector<PartitionHead> heads;  // as of that group
  friend bool operator==(const SealedCheckpoint&, const SealedCheckpoint&) = default;
};

std::string EncodeSealedCheckpoint(const SealedCheckpoint& checkpoint, const Epoch& epoch);
// DATA_LOSS for damaged bytes, or a checkpoint of another store; FAILED_PRECONDITION (FORMAT_UNKNOWN) for one that a
// newer program wrote.
absl::StatusOr<SealedCheckpoint> DecodeSealedCheckpoint(std::string_view bytes, const Epoch& epoch,
                                                        std::uint32_t partitions);

}  // namespace everfold
