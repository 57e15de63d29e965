// What the store is: written once, when it is created, and read at every opening.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "everfold/base/random.h"
#include "everfold/log/partition_log.h"

namespace rocksdb {
class DB;
}  // namespace rocksdb

namespace everfold {

// The identity of the store, or a new one of so many partitions (0: kDefaultPartitions) for a store that was never
// completed. FAILED_PRECONDITION (STORE_MISMATCH) if the store has another number than the one asked for; DATA_LOSS if
// it has data but no identity, or a damaged one.
absl::StatusOr<LogIdentity> LoadOrCreateIdentity(rocksdb::DB& database, std::uint32_t partitions, RandomSource& random);

}  // namespace everfold
