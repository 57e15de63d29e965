// The ceilings of a rebuild: what SQLite takes in of the same changes when nothing else is to be done, and what reading
// the log, folding in memory and loading the rows would take one after the other.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/bench/bare_scan.h"

namespace everfold::bench {

// Every change as an upsert of its row, in the order in which they come, 100,000 a transaction, without a journal and
// without a sync; from memory.
absl::StatusOr<absl::Duration> BareUpserts(const std::string& path, std::uint32_t orders, std::uint64_t events);

// Every payload of the log parsed into one message, then the rows that they come to, sorted by their key, inserted in
// one transaction, likewise. The folding in between is not counted.
absl::StatusOr<absl::Duration> BareReplayAndLoad(const BareScan& scan, const std::string& path, std::uint32_t orders,
                                                 std::uint64_t events);

}  // namespace everfold::bench
