// A log that fails in every way in which PartitionLog allows a log to fail, as often as it is told to.
//
//   FaultyLog log(inner, {.refused_per_mille = 20, .hint_delayed_per_mille = 200}, random, executor);
//
// Everything it does is drawn from the random source, so that under ManualExecutor one seed replays a run.
#pragma once

#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "everfold/base/random.h"
#include "everfold/log/partition_log.h"
#include "everfold/runtime/executor.h"

namespace everfold {

// Chances, each in 1000.
struct LogFaults {
  // Of an append: RESOURCE_EXHAUSTED, and nothing is written.
  unsigned refused_per_mille = 0;
  // Of an append: its outcome is unknown, and it was appended, or was not. The log is of no use from then on.
  unsigned unknown_but_appended_per_mille = 0;
  unsigned unknown_and_lost_per_mille = 0;
  // Of an append: its end, and so the end of all later ones, is told later than it was reached.
  unsigned end_delayed_per_mille = 0;
  // Of a hint: it comes later, and those that follow meanwhile come with it.
  unsigned hint_delayed_per_mille = 0;
  // Of an append: a hint that nothing gave reason for.
  unsigned hint_spurious_per_mille = 0;
  // Delays are drawn from (0, this].
  absl::Duration longest_delay = absl::Milliseconds(100);
};

// Threading: as PartitionLog; `done` and hints are called on a strand of the executor.
// Lifetime: log, random source and executor outlive it. Destroyed with appends outstanding, as in a crash, it calls no
// `done` any more; no step of the executor may run meanwhile.
class FaultyLog final : public PartitionLog {
 public:
  FaultyLog(PartitionLog& inner, LogFaults faults, RandomSource& random, Executor& executor);
  ~FaultyLog() override;

  const LogIdentity& identity() const override;
  Strand& strand() const override;
  bool atomic_across_partitions() const override;
  void Append(std::vector<ChunkAppend> group, Done done) override;
  PartitionHead Head(PartitionId partition) const override;
  absl::StatusOr<std::unique_ptr<ChunkCursor>> Read(PartitionId partition, Offset after) const override;
  void Watch(Hint hint) override;
  void Close(Done done) override;  // closes the inner log, too

 private:
  class Session;
  PartitionLog& inner_;
  std::shared_ptr<Session> session_;
};

}  // namespace everfold
