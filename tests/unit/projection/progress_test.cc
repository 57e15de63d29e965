#include "everfold/projection/progress.h"

#include "everfold/base/error.h"
#include "everfold/runtime/manual_executor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ProgressTest : public ::testing::Test {
 protected:
  static Checkpoint At(std::uint64_t first, std::uint64_t second) {
    return {.epoch = {"e"}, .offsets = {Offset(first), Offset(second)}};
  }
  std::uint64_t Wait(std::vector<Position> positions) {
    return progress_.WaitFor(std::move(positions), [this](absl::Status status) { answers_.push_back(status); });
  }
  const std::vector<absl::Status>& Answers() {
    executor_.RunUntilIdle();
    return answers_;
  }

  const Position kFirst3{PartitionId(0), Offset(3)};
  const Position kSecond1{PartitionId(1), Offset(1)};
  const absl::Status kStopped = absl::UnavailableError("stopped");
  ManualExecutor executor_;
  Progress progress_{At(2, 0), executor_};
  std::vector<absl::Status> answers_;
};

TEST_F(ProgressTest, AnswersAtOnceButNotWithinTheCallWhatIsCommitted) {
  Wait({{PartitionId(0), Offset(2)}});
  EXPECT_THAT(answers_, IsEmpty());
  EXPECT_THAT(Answers(), ElementsAre(absl::OkStatus()));
}

TEST_F(ProgressTest, AnswersWhenEveryPositionIsCommitted) {
  Wait({kFirst3, kSecond1});
  progress_.Publish(At(3, 0));
  EXPECT_THAT(Answers(), IsEmpty());
  progress_.Publish(At(3, 1));
  EXPECT_THAT(Answers(), ElementsAre(absl::OkStatus()));
  progress_.Publish(At(4, 1));
  EXPECT_EQ(Answers().size(), 1u);
}

TEST_F(ProgressTest, IsAwaitedByThoseWhoWaitForPositions) {
  progress_.WaitForChange([](absl::Status) {});
  EXPECT_FALSE(progress_.is_awaited());
  const std::uint64_t cancelled = Wait({kSecond1});
  Wait({kFirst3});
  EXPECT_TRUE(progress_.is_awaited());
  progress_.Cancel(cancelled);
  EXPECT_TRUE(progress_.is_awaited());
  progress_.Publish(At(3, 0));
  EXPECT_FALSE(progress_.is_awaited());
  Wait({kSecond1});
  progress_.End(kStopped);
  EXPECT_FALSE(progress_.is_awaited());
  Wait({kSecond1});
  EXPECT_FALSE(progress_.is_awaited());
}

TEST_F(ProgressTest, AnswersOnlyTheWaitsThatAreSatisfied) {
  std::string order;
  progress_.WaitFor({kFirst3}, [&order](absl::Status) { order += "first "; });
  progress_.WaitFor({kSecond1}, [&order](absl::Status) { order += "second "; });
  progress_.Publish(At(2, 1));
  executor_.RunUntilIdle();
  EXPECT_EQ(order, "second ");
  progress_.Publish(At(3, 1));
  executor_.RunUntilIdle();
  EXPECT_EQ(order, "second first ");
}

TEST_F(ProgressTest, EveryCommitIsAChangeAlsoWhereTheCheckpointStays) {
  int changes = 0;
  const auto wait = [&] {
    return progress_.WaitForChange([&changes](const absl::Status& status) {
      EXPECT_TRUE(status.ok()) << status;
      ++changes;
    });
  };
  wait();
  executor_.RunUntilIdle();
  EXPECT_EQ(changes, 0);
  progress_.Publish(At(2, 0));
  progress_.Publish(At(2, 0));
  executor_.RunUntilIdle();
  EXPECT_EQ(changes, 1) << "it is told once";
  progress_.Cancel(wait());
  progress_.Publish(At(2, 0));
  executor_.RunUntilIdle();
  EXPECT_EQ(changes, 1);
  progress_.End(kStopped);
  progress_.WaitForChange([this](absl::Status status) { answers_.push_back(std::move(status)); });
  EXPECT_THAT(Answers(), ElementsAre(kStopped));
}

TEST_F(ProgressTest, CancelledWaitIsNotAnswered) {
  const std::uint64_t cancelled = Wait({kFirst3});
  progress_.Cancel(cancelled);
  progress_.Cancel(cancelled);
  progress_.Publish(At(9, 9));
  EXPECT_THAT(Answers(), IsEmpty());
}

TEST_F(ProgressTest, EndAnswersEveryWaitAndEveryLaterOne) {
  Wait({kFirst3});
  progress_.End(kStopped);
  progress_.End(absl::UnavailableError("later"));
  EXPECT_THAT(Answers(), ElementsAre(kStopped));
  Wait({kSecond1});
  EXPECT_THAT(Answers(), ElementsAre(kStopped, kStopped));
}

TEST_F(ProgressTest, WhatWasCommittedBeforeTheEndStaysReached) {
  progress_.End(kStopped);
  Wait({{PartitionId(0), Offset(1)}});
  EXPECT_THAT(Answers(), ElementsAre(absl::OkStatus()));
  EXPECT_EQ(progress_.committed(), At(2, 0));
}

}  // namespace
}  // namespace everfold
