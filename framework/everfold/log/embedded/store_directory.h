// The directory of a store, held by one process at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace everfold {

// Holds the directory until destroyed, by a lock on its file "holder", which says who holds it. The lock goes with the
// process, however that ends. Threading: immutable.
class StoreDirectory {
 public:
  // Makes the directory, durably and for its owner alone, where it is missing. FAILED_PRECONDITION (STORE_LOCKED), with
  // the holder, if it is taken; INTERNAL (STORAGE_FAILED) if the file system says no.
  static absl::StatusOr<std::unique_ptr<StoreDirectory>> Claim(const std::string& path);
  // FAILED_PRECONDITION (STORE_LOCKED), with the holder, if somebody holds it now. Changes nothing.
  static absl::Status CheckFree(const std::string& path);
  ~StoreDirectory();
  StoreDirectory(const StoreDirectory&) = delete;
  StoreDirectory& operator=(const StoreDirectory&) = delete;

  const std::string& path() const { return path_; }
  // What an unprivileged process may still write to its file system; 0 if that cannot be told.
  std::uint64_t FreeBytes() const;

 private:
  StoreDirectory(std::string path, int holder) : path_(std::move(path)), holder_(holder) {}

  const std::string path_;
  const int holder_;  // file descriptor of the lock
};

}  // namespace everfold
