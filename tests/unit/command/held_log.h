// A log whose appends stay on their way until the test lets them through or has them fail.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "everfold/log/partition_log.h"

namespace everfold {

// Threading: one thread, as ManualExecutor. Lifetime: the inner log outlives it.
class HeldLog final : public PartitionLog {
 public:
  explicit HeldLog(PartitionLog& inner) : inner_(inner) {}

  // From now on appends stay on their way.
  void Hold() { holding_ = true; }
  // Those on their way arrive, and all later ones, too.
  void LetThrough();
  // Those on their way fail, as on a full disk: nothing was written. Later ones arrive.
  void Fail();

  std::size_t held() const { return held_.size(); }
  // Appends that were asked for.
  std::size_t groups() const { return groups_; }

  const LogIdentity& identity() const override { return inner_.identity(); }
  Strand& strand() const override { return inner_.strand(); }
  bool atomic_across_partitions() const override { return inner_.atomic_across_partitions(); }
  void Append(std::vector<ChunkAppend> group, Done done) override;
  PartitionHead Head(PartitionId partition) const override { return inner_.Head(partition); }
  absl::StatusOr<std::unique_ptr<ChunkCursor>> Read(PartitionId partition, Offset after) const override {
    return inner_.Read(partition, after);
  }
  void Watch(Hint hint) override { inner_.Watch(std::move(hint)); }
  void Close(Done done) override { inner_.Close(std::move(done)); }

 private:
  struct Held {
    std::vector<ChunkAppend> group;
    Done done;
  };

  PartitionLog& inner_;
  bool holding_ = false;
  std::size_t groups_ = 0;
  std::deque<Held> held_;
};

}  // namespace everfold
