#include "everfold/log/memory/memory_log.h"
#include "everfold/runtime/asio_executor.h"
#include "everfold/runtime/manual_executor.h"
#include "tests/contract/partition_log_contract.h"

namespace everfold {
namespace {

LogIdentity SomeIdentity(std::uint32_t partitions) {
  return {.epoch = {std::string(16, 'e')}, .partitions = partitions, .key = std::string(32, 'k')};
}

class MemoryBackend : public LogBackend {
 public:
  absl::StatusOr<std::unique_ptr<PartitionLog>> Open(std::uint32_t partitions) override {
    if (storage_ == nullptr) storage_ = std::make_shared<MemoryLogStorage>(SomeIdentity(partitions));
    return std::make_unique<MemoryLog>(storage_, executor());
  }

 protected:
  virtual Executor& executor() = 0;

 private:
  std::shared_ptr<MemoryLogStorage> storage_;
};

class OnOneThread final : public MemoryBackend {
 public:
  explicit OnOneThread(std::uint64_t seed) : executor_(seed) {}

  void Crash(std::unique_ptr<PartitionLog> log) override {
    // Somewhere in the middle of what is outstanding.
    for (int steps = 0; steps < 15; ++steps) executor_.RunOne();
    log = nullptr;
    executor_.DropAll();
  }
  bool Await(const Notification& event) override {
    return executor_.RunUntil([&] { return event.HasBeenNotified(); });
  }

 private:
  Executor& executor() override { return executor_; }
  ManualExecutor executor_;
};

class OnAPool final : public MemoryBackend {
 public:
  void Crash(std::unique_ptr<PartitionLog> log) override {
    // A crash must not fall into a running step: the log goes once its strand has nothing left.
    executor_->Join();
    log = nullptr;
    executor_ = nullptr;
  }
  bool Await(const Notification& event) override { return event.WaitForNotificationWithTimeout(absl::Minutes(1)); }

 private:
  Executor& executor() override {
    if (executor_ == nullptr) executor_ = std::make_unique<AsioExecutor>(3);
    return *executor_;
  }
  std::unique_ptr<AsioExecutor> executor_;
};

INSTANTIATE_TEST_SUITE_P(MemoryOnOneThread, PartitionLogContract,
                         testing::Values([] { return std::make_unique<OnOneThread>(1); },
                                         [] { return std::make_unique<OnOneThread>(2); }));
INSTANTIATE_TEST_SUITE_P(MemoryOnAPool, PartitionLogContract,
                         testing::Values([] { return std::make_unique<OnAPool>(); }));

}  // namespace
}  // namespace everfold
