// The file system as a store uses it, as an interface, so that tests can drop, tear and lose what was not synced.
//
// Everything the store keeps goes through here: the journal, the high-water file and the identity directly, RocksDB's
// files through ForRocksDb(). What a file system promises, and no more: bytes are durable once Sync returned OK after
// they were written, a name once SyncDirectory of its directory did.
//
// Errors: INTERNAL (STORAGE_FAILED), with the operation, the path and the system's words; RESOURCE_EXHAUSTED (DISK_FULL)
// where there is no room.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace rocksdb {
class FileSystem;
}  // namespace rocksdb

namespace everfold {

// Threading: thread-safe for ranges that do not overlap; Sync covers every WriteAt that returned before it began.
class File {
 public:
  virtual ~File() = default;
  // Up to `size` bytes; less only where the file ends.
  virtual absl::StatusOr<std::string> ReadAt(std::uint64_t offset, std::size_t size) const = 0;
  // Overwrites, and extends the file where it ends before. After an error the range holds anything.
  virtual absl::Status WriteAt(std::uint64_t offset, std::string_view bytes) = 0;
  // After an error nothing is known of what was written since the last Sync that succeeded, and a later Sync that
  // succeeds says nothing of it either.
  virtual absl::Status Sync() = 0;
  virtual absl::StatusOr<std::uint64_t> Size() const = 0;
};

// Threading: thread-safe. Lifetime: outlives its files and what RocksDB opened through it.
class Files {
 public:
  virtual ~Files() = default;
  // NOT_FOUND if there is none. For reading and writing.
  virtual absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path) = 0;
  // A new empty file, for its owner alone (0600), in place of one that may be there.
  virtual absl::StatusOr<std::unique_ptr<File>> Create(const std::string& path) = 0;
  virtual bool Exists(const std::string& path) const = 0;
  // Names in the directory, sorted, without "." and "..".
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& directory) const = 0;
  // With its parents where they are missing, for its owner alone (0700), and durably. OK if it is there.
  virtual absl::Status MakeDirectory(const std::string& path) = 0;
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;
  virtual absl::Status Remove(const std::string& path) = 0;
  // Removes a directory with all that is in it. OK if it is not there.
  virtual absl::Status RemoveAll(const std::string& directory) = 0;
  virtual absl::Status SyncDirectory(const std::string& directory) = 0;
  // What an unprivileged process may still write there; 0 if that cannot be told.
  virtual std::uint64_t FreeBytes(const std::string& directory) const = 0;
  // The same files, as RocksDB wants them.
  virtual std::shared_ptr<rocksdb::FileSystem> ForRocksDb() = 0;
};

// The file system of this machine. Lifetime: until the process ends.
Files& PosixFiles();

// Writes a small file whole and durably, so that after a crash there is either what was before or all of it: a new file
// beside it is synced, renamed over it, and the directory is synced.
absl::Status ReplaceFile(Files& files, const std::string& path, std::string_view bytes);
// All of a file. NOT_FOUND if there is none.
absl::StatusOr<std::string> ReadFile(Files& files, const std::string& path);

}  // namespace everfold
