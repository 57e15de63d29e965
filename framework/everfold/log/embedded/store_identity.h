// What the store is: a small file, written last when a store is created, and read first at every opening.
// Format: docs/formats/store.md.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "everfold/base/random.h"
#include "everfold/log/partition_log.h"

namespace everfold {

// A new identity: random epoch and key. `partitions` 0: kDefaultPartitions.
LogIdentity NewIdentity(std::uint32_t partitions, RandomSource& random);

std::string EncodeIdentity(const LogIdentity& identity);
// DATA_LOSS for damaged bytes; FAILED_PRECONDITION (FORMAT_UNKNOWN) for a store that a newer program made.
absl::StatusOr<LogIdentity> DecodeIdentity(std::string_view bytes);

// FAILED_PRECONDITION (STORE_MISMATCH) if the store has another number of partitions than the one asked for, 0 asking
// for none.
absl::Status CheckPartitions(const LogIdentity& identity, std::uint32_t asked);

}  // namespace everfold
