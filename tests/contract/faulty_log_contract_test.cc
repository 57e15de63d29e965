// The fault layer without faults that lose something: a log that is slow and hints strangely is still a log.
#include "everfold/log/memory/memory_log.h"
#include "everfold/runtime/manual_executor.h"
#include "everfold/testing/faulty_log.h"
#include "tests/contract/partition_log_contract.h"
#include "tests/unit/log/forwarding_log.h"

namespace everfold {
namespace {

constexpr LogFaults kSlow{.end_delayed_per_mille = 300, .hint_delayed_per_mille = 500, .hint_spurious_per_mille = 300};

// A fault layer with the log that it needs under it.
struct SlowParts {
  MemoryLog inner;
  FaultyLog log;
};

class SlowLog final : private SlowParts, public ForwardingLog {
 public:
  SlowLog(std::shared_ptr<MemoryLogStorage> storage, RandomSource& random, Executor& executor)
      : SlowParts{.inner{std::move(storage), executor}, .log{inner, kSlow, random, executor}}, ForwardingLog(log) {}
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
