// The fault layer without faults that lose something: a log that is slow and hints strangely is still a log.
#include "everfold/log/memory/memory_log.h"
#include "everfold/runtime/manual_executor.h"
#include "everfold/testing/faulty_log.h"
#include "tests/contract/partition_log_contract.h"

namespace everfold {
namespace {

constexpr LogFaults kSlow{.end_delayed_per_mille = 300, .hint_delayed_per_mille = 500, .hint_spurious_per_mille = 300};

// A fault layer with the log that it needs under it.
class SlowLog final : public PartitionLog {
 public:
  SlowLog(std::shared_ptr<MemoryLogStorage> storage, RandomSource& random, Executor& executor)
      : inner_(std::move(storage), executor), log_(inner_, kSlow, random, executor) {}

  const LogIdentity& identity() const override { return log_.identity(); }
  Strand& strand() const override { return log_.strand(); }
  bool atomic_across_partitions() const override { return log_.atomic_across_partitions(); }
  void Append(std::vector<ChunkAppend> group, Done done) override { log_.Append(std::move(group), std::move(done)); }
  PartitionHead Head(PartitionId partition) const override { return log_.Head(partition); }
  absl::StatusOr<std::unique_ptr<ChunkCursor>> Read(PartitionId partition, Offset after) const override {
    return log_.Read(partition, after);
  }
  void Watch(Hint hint) override { log_.Watch(std::move(hint)); }
  void Close(Done done) override { log_.Close(std::move(done)); }

 private:
  MemoryLog inner_;
  FaultyLog log_;
};

class SlowBackend final : public LogBackend {
 public:
  explicit SlowBackend(std::uint64_t seed) : executor_(seed), random_(seed) {}

  absl::StatusOr<std::unique_ptr<PartitionLog>> Open(std::uint32_t partitions) override {
    const LogIdentity identity{.epoch = {std::string(16, 'e')}, .partitions = partitions, .key = std::string(32, 'k')};
    if (storage_ == nullptr) storage_ = std::make_shared<MemoryLogStorage>(identity);
    return std::make_unique<SlowLog>(storage_, random_, executor_);
  }
  void Crash(std::unique_ptr<PartitionLog> log) override {
    for (int steps = 0; steps < 15; ++steps) executor_.RunOne();
    log = nullptr;
    executor_.DropAll();
  }
  bool Await(const Notification& event) override {
    return executor_.RunUntil([&] { return event.HasBeenNotified(); });
  }

 private:
  ManualExecutor executor_;
  SeededRandom random_;
  std::shared_ptr<MemoryLogStorage> storage_;
};

INSTANTIATE_TEST_SUITE_P(Slow, PartitionLogContract,
                         testing::Values([] { return std::make_unique<SlowBackend>(1); },
                                         [] { return std::make_unique<SlowBackend>(2); },
                                         [] { return std::make_unique<SlowBackend>(3); }));

}  // namespace
}  // namespace everfold
