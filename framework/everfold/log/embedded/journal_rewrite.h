// Writing records of the journal to their place once more, as an opening does with what it cannot know to be durable.
//
// A sector that is being written when the power fails may hold anything afterwards. The records may have been durable,
// and acknowledged, so they first get a file of their own, which goes once they are durable in their place: whenever
// the power fails, they are whole in one of the two. Format: docs/formats/journal.md.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "everfold/event/position.h"
#include "everfold/log/embedded/journal_recovery.h"
#include "everfold/log/files/files.h"

namespace everfold {

// The groups of the journal above `marked`. They are durable when it returns.
absl::Status RewriteRecords(Files& files, const std::string& store, const Epoch& epoch,
                            const std::vector<RecoveredGroup>& groups, GroupNumber marked);

// Ends a rewriting that was cut short, before the journal is read. DATA_LOSS if its file is damaged.
absl::Status FinishRewriting(Files& files, const std::string& store, const Epoch& epoch);

std::string RewritePath(const std::string& store);

}  // namespace everfold
