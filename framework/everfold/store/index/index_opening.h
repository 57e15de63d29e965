// From what is in the index's directory to an index that fits the log.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "everfold/event/event_type.h"
#include "everfold/log/partition_log.h"
#include "everfold/store/index/directory_lock.h"
#include "everfold/store/index/index_checkpoint.h"
#include "everfold/store/index/index_database.h"
#include "everfold/store/store_index.h"

namespace everfold {

struct OpenedIndex {
  std::unique_ptr<DirectoryLock> lock;  // goes last
  std::unique_ptr<IndexDatabase> database;
  std::unique_ptr<TypeDictionary> types;
  IndexCheckpoint checkpoint;
};

// The index of a log nothing is known of; without files.
OpenedIndex EmptyIndex(const LogIdentity& log);

// As StoreIndex::Open. REQUIRES: there is a directory.
absl::StatusOr<OpenedIndex> OpenIndexDirectory(const StoreIndexOptions& options, const LogIdentity& log,
                                               std::string& began_anew);

}  // namespace everfold
