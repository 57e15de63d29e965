// What an opening finds in the journal.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "everfold/log/embedded/journal.h"
#include "everfold/log/files/files.h"

namespace everfold {

// A group that is in the journal and not sealed.
struct RecoveredGroup {
  GroupLink link;
  std::vector<std::string> chunks;
  JournalFile file;
  std::uint64_t position = 0;  // of the record in the file
  std::size_t bytes = 0;       // of the record
};

struct RecoveredJournal {
  std::vector<RecoveredGroup> groups;  // in order, from the one behind the sealed one
  JournalState state;
  GroupLink last;  // of the last group; the sealed one if there is none
  // The highest group that some record behind `last` says was durable. Above the last group's number it is proof of
  // loss: what is behind a torn write was never durable, and says so.
  GroupNumber claimed_durable = 0;
};

// Reads all files of the ring. Groups go on from `sealed`, each linked to the one before; records that do not link are
// left from former turns of the ring, or from writes that were never durable. Changes nothing.
absl::StatusOr<RecoveredJournal> RecoverJournal(Files& files, const std::string& directory, const GroupLink& sealed,
                                                JournalKey key);

// True if anything was ever written to a file of the ring, by whatever store.
absl::StatusOr<bool> HoldsJournalRecords(Files& files, const std::string& directory);

}  // namespace everfold
