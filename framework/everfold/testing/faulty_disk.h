// A disk in memory that does all that a disk may do to a program: it loses power, fails, fills up and rots.
//
//   FaultyDisk disk;
//   ... a store on disk works, and acknowledges ...
//   disk.LosePower(random);   // whatever still has files open gets errors from now on
//   ... the store is given up ...
//   disk.Restore();           // the machine is back
//   ... a store that opens on the disk has what was acknowledged ...
//
// The model is what POSIX promises, and no more than journaling file systems add: a byte is durable once its file was
// synced after it was written, a name once its directory was. Of what is not durable, a loss of power takes back any
// part: of a file any sector of 512 bytes, in any order, torn or with bits flipped; of a directory any number of its
// last changes. A byte that is durable and is not written again never changes by itself, though its sector be written:
// what SQLite calls powersafe overwrite.
//
// What RocksDB appends to its files is lost from the end only, as ext4 with ordered data and most others have it: other
// damage in the tail of its MANIFEST, which it takes for granted not to be, it answers by refusing to open.
//
// It works faster than a disk: thousands of losses of power of a store of a few megabytes take a minute. Its memory is
// that of the files, and of what was overwritten and is not synced.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "everfold/base/mutex.h"
#include "everfold/base/random.h"
#include "everfold/log/files/files.h"
#include "everfold/testing/disk_faults.h"

namespace everfold {

class DiskSession;

// Threading: thread-safe. Which bytes a loss of power takes back is drawn in the order of names and writes: one seed is
// one outcome where the writes are those of one thread.
// Lifetime: what RocksDB opened through it may outlive it.
// Errors: those of Files, worded as those of PosixFiles.
class FaultyDisk final : public Files {
 public:
  // Empty, but for the root.
  FaultyDisk();
  ~FaultyDisk() override;

  // Files.
  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<File>> Create(const std::string& path) override;
  bool Exists(const std::string& path) const override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) const override;
  absl::Status MakeDirectory(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status RemoveAll(const std::string& directory) override;
  absl::Status SyncDirectory(const std::string& directory) override;
  // What set_free_bytes said; writes do not use it up.
  std::uint64_t FreeBytes(const std::string& directory) const override;
  // Of this start of the machine: like open files it fails after a loss of power. What RocksDB tells its LOG is
  // dropped.
  std::shared_ptr<rocksdb::FileSystem> ForRocksDb() override;

  // From now on every call fails. REQUIRES: the power is on.
  void LosePower(RandomSource& random);
  // The disk as the restarted machine finds it, without planned faults. REQUIRES: the power is off.
  void Restore();

  // The n-th operation from now, of those in the mask that can fail so, fails; or it and all later ones. A plan
  // replaces the one before. REQUIRES: n > 0.
  void FailFrom(std::uint64_t n, DiskFault fault, FaultTimes times, DiskOperation operations = DiskOperation::kChange);
  void StopFailing();
  // Since the disk was made.
  std::uint64_t operations(DiskOperation of = DiskOperation::kChange) const;
  std::uint64_t failures() const;

  // Damage at rest: done to what is in the file, all of which is durable then; no operation, and it does not fail.
  // REQUIRES: the power is on, the file is there, and the bytes are.
  void FlipBit(const std::string& path, std::uint64_t offset, unsigned bit);
  void Truncate(const std::string& path, std::uint64_t size);
  void Zero(const std::string& path, std::uint64_t from, std::uint64_t to);
  void Swap(const std::string& a, const std::string& b);
  void Lose(const std::string& path);

  // Full paths of all files, sorted. REQUIRES: the power is on.
  std::vector<std::string> AllFiles() const;
  // Another disk with the same files, all durable; links to one file become files. REQUIRES: the power is on.
  std::unique_ptr<FaultyDisk> Copy() const;

  void set_free_bytes(std::uint64_t bytes);

  // What the file systems of other libraries work on, until the power is lost.
  std::shared_ptr<DiskSession> session() const;

 private:
  const std::shared_ptr<DiskFaults> faults_ = std::make_shared<DiskFaults>();
  mutable Mutex mutex_;
  std::shared_ptr<DiskSession> session_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace everfold
