#include "everfold/projection/snapshot_gate.h"

#include <utility>

namespace everfold {

// It is under way before it is counted: who has seen its number and that none is under way comes after its end.
SnapshotGate::Commit::Commit(SnapshotGate& gate) : gate_(gate) {
  ++gate_.under_way_;
  ++gate_.commits_;
  MutexLock lock(&gate_.mutex_);
  for (absl::AnyInvocable<void()>& give_up : gate_.keepers_) give_up();
}

SnapshotGate::Commit::~Commit() { --gate_.under_way_; }

SnapshotGate::Keeper::Keeper(std::shared_ptr<SnapshotGate> gate, absl::AnyInvocable<void()> give_up)
    : gate_(std::move(gate)), place_([&] {
        MutexLock lock(&gate_->mutex_);
        return gate_->keepers_.insert(gate_->keepers_.end(), std::move(give_up));
      }()) {}

SnapshotGate::Keeper::~Keeper() {
  MutexLock lock(&gate_->mutex_);
  gate_->keepers_.erase(place_);
}

std::optional<std::uint64_t> SnapshotGate::Quiet() const {
  const std::uint64_t commits = commits_;
  if (under_way_ > 0) return std::nullopt;
  return commits;
}

}  // namespace everfold
