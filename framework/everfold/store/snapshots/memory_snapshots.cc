#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "everfold/base/mutex.h"
#include "everfold/store/snapshots/snapshot_store.h"

namespace everfold {
namespace {

class MemorySnapshots final : public SnapshotStore {
 public:
  absl::StatusOr<std::optional<Snapshot>> Find(const StreamId& stream, std::string_view key) const override {
    MutexLock lock(&mutex_);
    const auto found = saved_.find(stream);
    if (found == saved_.end() || found->second.key != key) return std::nullopt;
    return found->second.snapshot;
  }
  void Save(const StreamId& stream, std::string_view key, Snapshot snapshot) override {
    MutexLock lock(&mutex_);
    saved_.insert_or_assign(stream, Saved{std::string(key), std::move(snapshot)});
    ++counts_.saved;
  }
  void Drop(const StreamId& stream) override {
    MutexLock lock(&mutex_);
    saved_.erase(stream);
  }
  SnapshotCounts counts() const override {
    MutexLock lock(&mutex_);
    return counts_;
  }
  void Close(Task done) override { done(); }

 private:
  struct Saved {
    std::string key;
    Snapshot snapshot;
  };
  mutable Mutex mutex_;
  absl::flat_hash_map<StreamId, Saved> saved_ ABSL_GUARDED_BY(mutex_);
  SnapshotCounts counts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<SnapshotStore> MakeMemorySnapshots() { return std::make_unique<MemorySnapshots>(); }

}  // namespace everfold
