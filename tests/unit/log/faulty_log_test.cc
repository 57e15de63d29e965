#include "everfold/testing/faulty_log.h"

#include <optional>

#include "everfold/base/error.h"
#include "everfold/log/memory/memory_log.h"
#include "everfold/runtime/manual_executor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/chunk_making.h"

namespace everfold {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Property;

class FaultyLogTest : public testing::Test {
 protected:
  void Open(LogFaults faults, std::uint64_t seed = 1) {
    log_ = nullptr;
    inner_ = nullptr;
    executor_ = std::make_unique<ManualExecutor>(seed);
    random_ = std::make_unique<SeededRandom>(seed);
    storage_ = std::make_shared<MemoryLogStorage>(
        LogIdentity{.epoch = {std::string(16, 'e')}, .partitions = 4, .key = std::string(32, 'k')});
    inner_ = std::make_unique<MemoryLog>(storage_, *executor_);
    log_ = std::make_unique<FaultyLog>(*inner_, faults, *random_, *executor_);
    outcomes_.clear();
  }
  ChunkAppend Next(std::uint32_t partition) {
    return MakeChunk(PartitionId(partition), storage_->Head(PartitionId(partition)));
  }
  void Start(ChunkAppend chunk) {
    log_->Append({std::move(chunk)}, [this](absl::Status status) { outcomes_.push_back(std::move(status)); });
  }
  absl::Status Append(ChunkAppend chunk) {
    Start(std::move(chunk));
    const std::size_t expected = outcomes_.size() + 1;
    EXPECT_TRUE(executor_->RunUntil([&] { return outcomes_.size() == expected; }));
    executor_->RunUntilIdle();
    return outcomes_.back();
  }
  std::uint64_t Chunks(std::uint32_t partition) const { return storage_->Head(PartitionId(partition)).chunk_number; }

  std::unique_ptr<ManualExecutor> executor_;
  std::unique_ptr<SeededRandom> random_;
  std::shared_ptr<MemoryLogStorage> storage_;
  std::unique_ptr<MemoryLog> inner_;
  std::unique_ptr<FaultyLog> log_;
  std::vector<absl::Status> outcomes_;
};

TEST_F(FaultyLogTest, WithoutFaultsItIsTheLogBelow) {
  Open({});
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Append(Next(0)), absl::OkStatus());
  EXPECT_EQ(log_->Head(PartitionId(0)).chunk_number, 20);
  EXPECT_EQ(log_->identity(), storage_->identity());
}

TEST_F(FaultyLogTest, ARefusalWritesNothingAndIsNotTheEnd) {
  Open({.refused_per_mille = 500});
  int refusals = 0;
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t before = Chunks(0);
    const absl::Status status = Append(Next(0));
    EXPECT_EQ(Chunks(0), before + (status.ok() ? 1 : 0));
    if (status.ok()) continue;
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(ReasonOf(status), reason::kDiskFull);
    ++refusals;
  }
  EXPECT_GT(refusals, 20);
  EXPECT_LT(refusals, 80);
}

TEST_F(FaultyLogTest, ARefusalFailsTheLaterOutstandingAppendsAndNoEarlierOne) {
  Open({.refused_per_mille = 200});
  int mixed = 0;
  for (int round = 0; round < 30; ++round) {
    outcomes_.clear();
    std::vector<std::uint64_t> before;
    for (std::uint32_t partition = 0; partition < 4; ++partition) {
      before.push_back(Chunks(partition));
      Start(Next(partition));
    }
    executor_->RunUntilIdle();
    ASSERT_EQ(outcomes_.size(), 4u);
    bool failed = false;
    for (std::uint32_t partition = 0; partition < 4; ++partition) {
      const bool ok = outcomes_[partition].ok();
      EXPECT_FALSE(failed && ok);
      EXPECT_EQ(Chunks(partition), before[partition] + (ok ? 1 : 0));
      failed = !ok;
    }
    if (failed && outcomes_[0].ok()) ++mixed;
  }
  EXPECT_GT(mixed, 0);
}

TEST_F(FaultyLogTest, AnUnknownOutcomeMayBeAppended) {
  Open({.unknown_but_appended_per_mille = 1000});
  const absl::Status status = Append(Next(0));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnknown);
  EXPECT_EQ(ReasonOf(status), reason::kOutcomeUnknown);
  EXPECT_EQ(Chunks(0), 1u);
}

TEST_F(FaultyLogTest, AnUnknownOutcomeMayBeLost) {
  Open({.unknown_and_lost_per_mille = 1000});
  EXPECT_EQ(Append(Next(0)).code(), absl::StatusCode::kUnknown);
  EXPECT_EQ(Chunks(0), 0u);
}

TEST_F(FaultyLogTest, AfterAnUnknownOutcomeEveryAppendFailsAndNoneIsMade) {
  Open({.unknown_but_appended_per_mille = 100, .unknown_and_lost_per_mille = 100});
  absl::Status status;
  while (status.ok()) status = Append(Next(0));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnknown);
  const std::uint64_t chunks = Chunks(0);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Append(Next(static_cast<std::uint32_t>(i % 4))), status);
  EXPECT_EQ(Chunks(0), chunks);
  EXPECT_EQ(Chunks(1) + Chunks(2) + Chunks(3), 0u);
}

TEST_F(FaultyLogTest, ADelayedEndComesAfterTimeHasPassed) {
  Open({.end_delayed_per_mille = 1000, .longest_delay = absl::Seconds(1)});
  Start(Next(0));
  executor_->RunUntilIdle();
  EXPECT_EQ(Chunks(0), 1u);
  EXPECT_THAT(outcomes_, IsEmpty());
  executor_->Advance(absl::Seconds(1));
  EXPECT_THAT(outcomes_, ElementsAre(absl::OkStatus()));
}

TEST_F(FaultyLogTest, DelayedHintsComeLaterAndTogether) {
  Open({.hint_delayed_per_mille = 1000, .longest_delay = absl::Seconds(1)});
  int hints = 0;
  log_->Watch([&] { ++hints; });
  for (int i = 0; i < 5; ++i) {
    Start(Next(0));
    executor_->RunUntilIdle();
  }
  EXPECT_THAT(outcomes_,
              ElementsAre(absl::OkStatus(), absl::OkStatus(), absl::OkStatus(), absl::OkStatus(), absl::OkStatus()));
  EXPECT_EQ(hints, 0);
  executor_->Advance(absl::Seconds(1));
  EXPECT_EQ(hints, 1);
}

TEST_F(FaultyLogTest, HintsMayComeForNoReason) {
  Open({.refused_per_mille = 1000, .hint_spurious_per_mille = 1000});
  int hints = 0;
  log_->Watch([&] { ++hints; });
  EXPECT_EQ(Append(Next(0)).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(hints, 1);
  EXPECT_EQ(Chunks(0), 0u);
}

TEST_F(FaultyLogTest, OneSeedIsOneRun) {
  const LogFaults faults{.refused_per_mille = 50,
                         .unknown_but_appended_per_mille = 20,
                         .end_delayed_per_mille = 300,
                         .hint_delayed_per_mille = 300,
                         .hint_spurious_per_mille = 100};
  const auto run = [&](std::uint64_t seed) {
    Open(faults, seed);
    log_->Watch([] {});
    for (int i = 0; i < 40; ++i) Append(Next(static_cast<std::uint32_t>(i % 4))).IgnoreError();
    return std::pair(outcomes_, executor_->trace_hash());
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_NE(run(7).second, run(8).second);
}

TEST_F(FaultyLogTest, ACrashCallsNobody) {
  Open({.end_delayed_per_mille = 500, .hint_delayed_per_mille = 500});
  int hints = 0;
  log_->Watch([&] { ++hints; });
  for (std::uint32_t partition = 0; partition < 4; ++partition) Start(Next(partition));
  log_ = nullptr;
  executor_->Advance(absl::Hours(1));
  EXPECT_THAT(outcomes_, IsEmpty());
  EXPECT_EQ(hints, 0);
}

}  // namespace
}  // namespace everfold
