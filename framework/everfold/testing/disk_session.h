// A FaultyDisk from one start of its machine to the next loss of power: what open files and RocksDB hold.
//
// Results are errnos, 0 where it was done. After the loss every call is EIO, and changes nothing any more.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "everfold/base/mutex.h"
#include "everfold/base/random.h"
#include "everfold/testing/disk_faults.h"
#include "everfold/testing/disk_tree.h"

namespace everfold {

// A value, or an errno in place of it.
template <class T>
struct DiskResult {
  T value{};
  int error = 0;
};

// Threading: thread-safe; the content of nodes is reached through the session only.
class DiskSession {
 public:
  using Node = DiskTree::Node;

  DiskSession(DiskTree tree, std::shared_ptr<DiskFaults> faults) : tree_(std::move(tree)), faults_(std::move(faults)) {}

  // Names.
  DiskResult<Node> Find(const std::string& path) const;  // ENOENT if there is none
  DiskResult<Node> Create(const std::string& path);      // a new empty file; EEXIST
  int Link(const std::string& from, const std::string& to);
  int MakeDirectory(const std::string& path);  // EEXIST
  int Rename(const std::string& from, const std::string& to);
  int Remove(const std::string& path);           // a file
  int RemoveDirectory(const std::string& path);  // an empty one
  int SyncDirectory(const std::string& path);
  DiskResult<std::vector<std::string>> List(const std::string& directory) const;

  // Content of files.
  DiskResult<std::string> Read(const DiskNode& file, std::uint64_t offset, std::uint64_t size) const;
  DiskResult<std::uint64_t> Size(const DiskNode& file) const;
  int Write(DiskNode& file, std::uint64_t offset, std::string_view bytes);
  int Resize(DiskNode& file, std::uint64_t size);
  int Sync(DiskNode& file);
  void KeepAppendsInOrder(DiskNode& file);  // as in DiskContent

  // A lock has one holder, and ends with the session.
  int Lock(const std::string& path);  // EAGAIN if it is held
  void Unlock(const std::string& path);

  std::uint64_t free_bytes() const { return free_bytes_; }
  void set_free_bytes(std::uint64_t bytes) { free_bytes_ = bytes; }

  // The names and contents as a test may look at them and damage them; uncounted. REQUIRES: no loss of power yet.
  void Examine(const std::function<void(DiskTree&)>& look);

  // The last call but for those that fail.
  void LosePower(RandomSource& random);
  bool lost_power() const;
  // What was left of this one, for another session. REQUIRES: lost_power(), and that it was not called before.
  DiskTree TakeRemains();

 private:
  // 0, or how an operation fails that does nothing then.
  int Meet(DiskOperation operation) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int RemoveNode(const std::string& path, bool is_directory);

  mutable Mutex mutex_;
  bool lost_power_ ABSL_GUARDED_BY(mutex_) = false;
  DiskTree tree_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> locked_ ABSL_GUARDED_BY(mutex_);
  const std::shared_ptr<DiskFaults> faults_;
  std::atomic<std::uint64_t> free_bytes_ = std::uint64_t{1} << 40;
};

}  // namespace everfold
