// Which operation of a FaultyDisk fails, and how.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "everfold/base/mutex.h"

namespace everfold {

// Kinds of operations. Several make a mask: DiskOperation::kWrite | DiskOperation::kSync.
enum class DiskOperation : unsigned {
  kRead = 1,    // bytes of a file; sizes and names are always known
  kWrite = 2,   // and a change of a file's size
  kSync = 4,    // of a file or of a directory
  kCreate = 8,  // a file, a link or a directory
  kRename = 16,
  kRemove = 32,
  kChange = 62,  // any of them but a read
  kAny = 63,
};
constexpr DiskOperation operator|(DiskOperation a, DiskOperation b) {
  return DiskOperation{static_cast<unsigned>(a) | static_cast<unsigned>(b)};
}
constexpr DiskOperation operator&(DiskOperation a, DiskOperation b) {
  return DiskOperation{static_cast<unsigned>(a) & static_cast<unsigned>(b)};
}

// An operation that fails has done nothing, but for what is said here.
enum class DiskFault {
  kIoError,     // any operation; a sync as with kSyncError
  kNoSpace,     // writes, creations and renames
  kShortWrite,  // writes: an I/O error after half of the bytes
  kSyncError,   // syncs: what was not synced of the file may be durable or not, and no later sync makes it so
};

enum class FaultTimes { kOnce, kForever };

// Threading: thread-safe.
class DiskFaults {
 public:
  // The n-th from now of the operations that are in `operations` and can fail so. REQUIRES: n > 0.
  void FailFrom(std::uint64_t n, DiskFault fault, FaultTimes times, DiskOperation operations);
  void Stop();

  // Counts one operation, and says how it fails.
  std::optional<DiskFault> Meet(DiskOperation operation);

  std::uint64_t operations(DiskOperation of) const;
  std::uint64_t failures() const;

 private:
  struct Plan {
    std::uint64_t before;  // so many succeed still
    DiskFault fault;
    FaultTimes times;
    DiskOperation operations;
  };

  mutable Mutex mutex_;
  std::optional<Plan> plan_ ABSL_GUARDED_BY(mutex_);
  std::map<DiskOperation, std::uint64_t> operations_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t failures_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace everfold
