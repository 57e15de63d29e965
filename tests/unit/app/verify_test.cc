#include "everfold/app/verify.h"

#include <gtest/gtest.h>

#include "everfold/event/partitioning.h"
#include "everfold/log/memory/memory_log.h"
#include "everfold/runtime/manual_executor.h"
#include "tests/unit/app/tally.h"

namespace everfold {
namespace {

constexpr std::uint32_t kPartitions = 2;

PartitionId HomeOf(const std::string& id) {
  return PartitionOf({.tenant = "", .aggregate = "tally", .id = id}, kPartitions);
}

class VerifyTest : public testing::Test {
 protected:
  ~VerifyTest() override { executor_.DropAll(); }

  void SetUp() override {
    auto store = EventStore::Open(EventStoreOptions(), log_, executor_, executor_.clock(), random_);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }

  void Append(AppendRequest request) {
    absl::Status status = absl::UnknownError("not answered");
    store_->Append(std::move(request), [&status](auto result) { status = result.status(); });
    executor_.RunUntilIdle();
    ASSERT_EQ(status, absl::OkStatus());
  }

  ManualExecutor executor_;
  SeededRandom random_{1};
  std::shared_ptr<MemoryLogStorage> storage_ = std::make_shared<MemoryLogStorage>(
      LogIdentity{.epoch = {std::string(16, 'e')}, .partitions = kPartitions, .key = std::string(32, 'k')});
  MemoryLog log_{storage_, executor_};
  std::unique_ptr<EventStore> store_;
};

TEST_F(VerifyTest, CountsEventsCommitsAndStreams) {
  Append(CountedAppend("t1", 3));
  Append(CountedAppend("t1", 2));
  Append(CountedAppend("t{t1}", 1));  // placed by "t1", so it is another stream, wherever it lives
  const auto counts = CountPartitions(log_);
  ASSERT_TRUE(counts.ok()) << counts.status();
  ASSERT_EQ(counts->size(), kPartitions);
  PartitionCounts sum;
  for (const PartitionCounts& partition : *counts) {
    sum.events += partition.events;
    sum.commits += partition.commits;
    sum.streams += partition.streams;
  }
  EXPECT_EQ(sum, (PartitionCounts{.partition = PartitionId(), .events = 6, .commits = 3, .streams = 2}));
  const PartitionCounts& home = (*counts)[HomeOf("t1").value()];
  EXPECT_GE(home.events, 5u);
}

TEST_F(VerifyTest, NamesADamagedChunk) {
  Append(CountedAppend("t1"));
  const PartitionId home = HomeOf("t1");
  const PartitionHead head = storage_->Head(home);
  ASSERT_EQ(storage_->Append({{.partition = home,
                               .expected_head = head,
                               .new_head = {head.offset.Next(), head.chunk_number + 1},
                               .bytes = std::make_shared<const std::string>("no chunk")}}),
            absl::OkStatus());
  EXPECT_EQ(CountPartitions(log_).status().code(), absl::StatusCode::kDataLoss);
}

TEST(FormatCounts, ShowsPartitionsWithCommitsAndTheSum) {
  EXPECT_EQ(FormatCounts({{.partition = PartitionId(0), .events = 5, .commits = 2, .streams = 1},
                          {.partition = PartitionId(1)},
                          {.partition = PartitionId(2), .events = 7, .commits = 7, .streams = 3}}),
            "partition       events      commits      streams\n"
            "        0            5            2            1\n"
            "        2            7            7            3\n"
            "      all           12            9            4\n");
}

}  // namespace
}  // namespace everfold
