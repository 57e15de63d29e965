// A log that is another one, for tests that change something of it.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "everfold/log/partition_log.h"

namespace everfold {

// Threading: as the inner log, which outlives it.
class ForwardingLog : public PartitionLog {
 public:
  explicit ForwardingLog(PartitionLog& inner) : inner_(inner) {}

  const LogIdentity& identity() const override { return inner_.identity(); }
  Strand& strand() const override { return inner_.strand(); }
  bool atomic_across_partitions() const override { return inner_.atomic_across_partitions(); }
  void Append(std::vector<ChunkAppend> group, Done done) override { inner_.Append(std::move(group), std::move(done)); }
  PartitionHead Head(PartitionId partition) const override { return inner_.Head(partition); }
  absl::StatusOr<std::unique_ptr<ChunkCursor>> Read(PartitionId partition, Offset after) const override {
    return inner_.Read(partition, after);
  }
  void Watch(Hint hint) override { inner_.Watch(std::move(hint)); }
  void Close(Done done) override { inner_.Close(std::move(done)); }

 private:
  PartitionLog& inner_;
};

}  // namespace everfold
