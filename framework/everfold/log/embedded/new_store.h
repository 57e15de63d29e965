// A store that is made of what there is: restored, salvaged, or imported. It becomes one when its identity is there, as
// the last thing.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "everfold/log/embedded/sealed_chunks.h"
#include "everfold/log/files/files.h"
#include "everfold/log/partition_log.h"

namespace everfold {

// INVALID_ARGUMENT unless the directory is empty or not there.
absl::Status CheckIsEmpty(const Files& files, const std::string& directory);

// INVALID_ARGUMENT, naming both, if one of the directories is the other, or is in it, by whatever links.
absl::Status CheckAreApart(const std::string& a, const std::string& b);

// INVALID_ARGUMENT, naming both, if the file is in the directory, or would be, by whatever links. "-" is no file.
absl::Status CheckIsOutside(const std::string& file, const std::string& directory);

// What is sealed, as a log that can only be read. Lifetime: not longer than the chunks.
std::unique_ptr<PartitionLog> ReadOnlyLog(const SealedChunks& sealed, const LogIdentity& identity);

// Everything but the sealed chunks, which are there: an empty journal, the high-water mark at the last sealed group,
// and at last the identity.
absl::Status CompleteStore(Files& files, const std::string& directory, const LogIdentity& identity,
                           const GroupLink& last, std::size_t journal_file_bytes);

// A new store, empty and open, that is to be filled by appends is none before it is whole: what is left of it in
// between does not open.
absl::Status SetIdentityAside(Files& files, const std::string& directory);
// It is whole. REQUIRES: the log is closed.
absl::Status PutIdentityBack(Files& files, const std::string& directory);

}  // namespace everfold
