// Keeps a directory of the index to one process, and in it to one holder.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace rocksdb {
class FileLock;
class FileSystem;
}  // namespace rocksdb

namespace everfold {

// Threading: immutable.
class DirectoryLock {
 public:
  // The directory exists. FAILED_PRECONDITION (STORE_LOCKED) if it is held; INTERNAL (STORAGE_FAILED).
  static absl::StatusOr<std::unique_ptr<DirectoryLock>> Take(std::shared_ptr<rocksdb::FileSystem> file_system,
                                                             const std::string& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  DirectoryLock(std::shared_ptr<rocksdb::FileSystem> file_system, rocksdb::FileLock* lock);

  const std::shared_ptr<rocksdb::FileSystem> file_system_;
  rocksdb::FileLock* const lock_;
};

}  // namespace everfold
