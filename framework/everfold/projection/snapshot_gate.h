// When who reads a projection's files may keep a snapshot from one read to the next, which spares two locks of the file
// for each: as long as nothing is committed.
//
// A snapshot that is kept would be old after a commit, and hold up the copying of the WAL into the file, which SQLite
// does as part of a commit. So all are given up before each commit, and none is kept until it has ended.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "everfold/base/mutex.h"

namespace everfold {

// Threading: thread-safe. Lifetime: outlives its commits.
class SnapshotGate {
 public:
  // A commit under way: from its construction on no snapshot is kept. Several may overlap.
  class Commit {
   public:
    explicit Commit(SnapshotGate& gate);
    Commit(const Commit&) = delete;
    Commit& operator=(const Commit&) = delete;
    ~Commit();

   private:
    SnapshotGate& gate_;
  };

  // Somebody who keeps snapshots.
  class Keeper {
   public:
    // `give_up` is called before each commit, by its thread, and gives up what is kept and not in use. It must not
    // commit, nor begin or end a keeper.
    Keeper(std::shared_ptr<SnapshotGate> gate, absl::AnyInvocable<void()> give_up);
    Keeper(const Keeper&) = delete;
    Keeper& operator=(const Keeper&) = delete;
    // Once this has returned, `give_up` is not called any more.
    ~Keeper();

   private:
    const std::shared_ptr<SnapshotGate> gate_;
    const std::list<absl::AnyInvocable<void()>>::iterator place_;
  };

  // How many commits there were; nullopt while one is under way. Ask before a snapshot begins: it may be kept as long
  // as the answer is the same.
  std::optional<std::uint64_t> Quiet() const;

 private:
  std::atomic<std::uint64_t> commits_ = 0;  // that have begun
  std::atomic<std::uint64_t> under_way_ = 0;
  Mutex mutex_;
  std::list<absl::AnyInvocable<void()>> keepers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace everfold
