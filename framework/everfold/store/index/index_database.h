// The index's files: a RocksDB database whose write-ahead log and memtable stay empty. Entries come as sorted files
// that are ingested together, all of them or none.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/log/files/files.h"
#include "everfold/store/index/entry_kind.h"
#include "everfold/store/index/index_entries.h"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Env;
class Iterator;
class Snapshot;
class Status;
struct Options;
struct ReadOptions;
}  // namespace rocksdb

namespace everfold {

class ForgottenCommands;

// Below its directory are `db`, RocksDB's files, and `incoming`, files on their way there.
// Threading: thread-safe, but one Install at a time. Lifetime: files and iterators as StoreIndex and RocksDB want.
//
// Errors: DATA_LOSS, with the way out and a field "index", which damage of the log does not have, for bytes that are
// damaged or missing; INTERNAL (STORAGE_FAILED) and RESOURCE_EXHAUSTED (DISK_FULL) where the file system failed.
class IndexDatabase {
 public:
  // What is there; NOT_FOUND if there is nothing.
  static absl::StatusOr<std::unique_ptr<IndexDatabase>> Open(Files& files, const std::string& directory,
                                                             std::size_t cache_bytes);
  // A new one, in place of what may be there.
  static absl::StatusOr<std::unique_ptr<IndexDatabase>> Create(Files& files, const std::string& directory,
                                                               std::size_t cache_bytes);
  ~IndexDatabase();
  IndexDatabase(const IndexDatabase&) = delete;
  IndexDatabase& operator=(const IndexDatabase&) = delete;

  // `options` begin as IteratorOptions.
  std::unique_ptr<rocksdb::Iterator> NewIterator(EntryKind kind, const rocksdb::ReadOptions& options) const;
  // The entries of all kinds at one moment, for ReadOptions::snapshot.
  std::shared_ptr<const rocksdb::Snapshot> TakeSnapshot() const;
  // nullopt if there is no such key.
  absl::StatusOr<std::optional<std::string>> Get(EntryKind kind, std::string_view key,
                                                 const rocksdb::Snapshot* snapshot = nullptr) const;

  // Where a file of that kind is written, by which options. Then Install takes all the files in, durably, or none.
  std::string IncomingPath(EntryKind kind) const;
  rocksdb::Options FileOptions(EntryKind kind) const;
  absl::Status Install(const std::vector<EntryKind>& kinds);

  // Commands of earlier days go: whole files at once, the rest as they are compacted.
  absl::Status DropCommandsBefore(Day first);

  // Runs of the kind that has most.
  std::size_t runs() const;
  // Merges those of each kind into one, unless all files together have more than so many bytes. Ends early, and without
  // an error, once `cancelled`. Blocks; everything else goes on meanwhile, Install too.
  absl::Status MergeRuns(std::uint64_t max_bytes, std::atomic<bool>& cancelled);

  absl::Status StatusOf(const rocksdb::Status& status, const char* doing) const;
  absl::Status Damaged(const std::string& what) const;

 private:
  IndexDatabase(Files& files, const std::string& directory);
  absl::Status OpenRocks(std::size_t cache_bytes, bool create);

  const std::string directory_;
  const std::unique_ptr<rocksdb::Env> env_;             // RocksDB uses it to its end
  const std::unique_ptr<ForgottenCommands> forgotten_;  // likewise
  std::unique_ptr<rocksdb::DB> rocks_;
  std::array<rocksdb::ColumnFamilyHandle*, kEntryKinds.size()> families_{};
  std::uint64_t installs_ = 0;
};

}  // namespace everfold
