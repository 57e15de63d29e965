// What a store consists of, as opening it finds it.
//
//   holder       who has the store open (store_directory.h)
//   identity     epoch, key, number of partitions: written last when a store is made
//   high-water   how far the store was known to be durable
//   journal/     the durable end, a ring of files
//   sealed/      everything before it, in RocksDB
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "everfold/base/random.h"
#include "everfold/log/embedded/embedded_log.h"
#include "everfold/log/embedded/high_water.h"
#include "everfold/log/embedded/journal.h"
#include "everfold/log/embedded/sealed_chunks.h"
#include "everfold/log/embedded/store_directory.h"
#include "everfold/log/embedded/tail.h"

namespace everfold {

struct StoreParts {
  std::unique_ptr<StoreDirectory> holder;  // nullptr on a file system that is not this machine's
  LogIdentity identity;
  std::unique_ptr<SealedChunks> sealed;
  std::unique_ptr<HighWaterFile> high_water;
  JournalState journal;
  std::unique_ptr<Tail> tail;
  GroupLink last;  // the last group; the tail ends with it
};

// Opens the store, or makes it where there is none. Errors: EmbeddedLog::Open.
absl::StatusOr<StoreParts> OpenStore(const EmbeddedLogOptions& options, Files& files, RandomSource& random);

// A journal without groups, and the high-water file with the mark, both durable: the next group follows on `last`.
absl::Status MakeJournal(Files& files, const std::string& store, const Epoch& epoch, const GroupLink& last,
                         std::size_t journal_file_bytes);

// The journal's directory, and what else is in the store's.
std::string JournalDirectory(const std::string& store);
std::string SealedDirectory(const std::string& store);
std::string HighWaterPath(const std::string& store);
std::string IdentityPath(const std::string& store);
std::string IdentityAsidePath(const std::string& store);  // while an import fills the store

}  // namespace everfold
