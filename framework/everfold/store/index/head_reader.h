// The heads of all streams or tags, from the index's files, part by part: what a store reads after its start.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "everfold/store/index/entry_kind.h"
#include "everfold/store/index/index_database.h"
#include "everfold/store/index/stream_heads.h"

namespace everfold {

// By name, from the name `from` on, each added to `heads` once: as many as can be read in a few milliseconds, and are
// in memory. Returns the name to go on with; empty at the end. Errors as IndexDatabase.
absl::StatusOr<std::string> ReadHeads(const IndexDatabase& database, EntryKind kind, const std::string& from,
                                      std::vector<NameHead>& heads);

}  // namespace everfold
