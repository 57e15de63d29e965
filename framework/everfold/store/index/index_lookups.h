// Looking into the index's files. Errors as IndexDatabase.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/store/index/index_database.h"
#include "everfold/store/index/index_entries.h"

namespace everfold {

// 0 if the files do not hold the stream.
absl::StatusOr<Version> FindVersion(const IndexDatabase& database, std::string_view stream);
// From the one that holds the version behind `after`, or the next one, at most `limit`, in order. For streams that are
// there: one that is not costs a look into every file.
absl::StatusOr<std::vector<StreamEntry>> FindEntriesAfter(const IndexDatabase& database, std::string_view stream,
                                                          Version after, std::size_t limit);
absl::StatusOr<std::vector<TaggedEvent>> FindTaggedAfter(const IndexDatabase& database, std::string_view tag,
                                                         Sequence after, std::size_t limit);
// nullopt if the files do not hold the tenant's type.
absl::StatusOr<std::optional<TaggedEvent>> FindLatest(const IndexDatabase& database, std::string_view type);
struct DatedDigest {
  Day day = 0;
  CommandDigest digest;
};
// Commands from the key `from` on, at most `limit`. Returns the key to go on with; empty at the end.
absl::StatusOr<std::string> ReadCommands(const IndexDatabase& database, const std::string& from, std::size_t limit,
                                         std::vector<DatedDigest>& commands);
absl::StatusOr<std::vector<CommitPlace>> FindPlaces(const IndexDatabase& database, const CommandDigest& command,
                                                    const std::vector<Day>& days, Day first_day);

}  // namespace everfold
