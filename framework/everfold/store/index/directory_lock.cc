#include "everfold/store/index/directory_lock.h"

#include <rocksdb/file_system.h>

#include <utility>

#include "everfold/base/error.h"

namespace everfold {
namespace {

// RocksDB tells a lock that is held from a file that cannot be opened by its words alone.
bool SaysHeld(const std::string& message) {
  return message.find("While lock file") != std::string::npos || message.find("lock hold by") != std::string::npos;
}

}  // namespace

absl::StatusOr<std::unique_ptr<DirectoryLock>> DirectoryLock::Take(std::shared_ptr<rocksdb::FileSystem> file_system,
                                                                   const std::string& directory) {
  rocksdb::FileLock* lock = nullptr;
  const rocksdb::IOStatus status = file_system->LockFile(directory + "/lock", rocksdb::IOOptions(), &lock, nullptr);
  if (status.ok()) return std::unique_ptr<DirectoryLock>(new DirectoryLock(std::move(file_system), lock));
  const std::string message = "cannot lock the index in " + directory + ": " + status.ToString();
  if (SaysHeld(message)) return Error(absl::StatusCode::kFailedPrecondition, reason::kStoreLocked, message);
  return Error(absl::StatusCode::kInternal, reason::kStorageFailed, message);
}

DirectoryLock::DirectoryLock(std::shared_ptr<rocksdb::FileSystem> file_system, rocksdb::FileLock* lock)
    : file_system_(std::move(file_system)), lock_(lock) {}

DirectoryLock::~DirectoryLock() {
  // What goes wrong here ends with the process.
  file_system_->UnlockFile(lock_, rocksdb::IOOptions(), nullptr).PermitUncheckedError();
}

}  // namespace everfold
