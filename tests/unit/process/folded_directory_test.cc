#include "everfold/process/folded_directory.h"

#include <gtest/gtest.h>

#include <memory>

#include "absl/strings/str_format.h"
#include "everfold/base/timestamp.h"
#include "everfold/testing/scratch_directory.h"
#include "tests/unit/process/fulfilment.h"
#include "tests/unit/subscription/store_of_tests.h"

namespace everfold {
namespace {

using fulfil::v1::FulfilmentProcess;

const absl::Time kDue = absl::FromUnixSeconds(1'900'000'000);

class FoldedDirectoryTest : public ::testing::Test {
 protected:
  FoldedDirectoryTest() { Open(); }

  // As after a kill: what is not in the file is gone.
  void Open() {
    directory_ = std::make_unique<FoldedDirectory>(files_.path() + "/fulfilment.db", type_, store_.store(), clock_,
                                                   /*logger=*/nullptr);
    ASSERT_EQ(directory_->Open(), absl::OkStatus());
  }

  void Append(const std::string& id, const v1::ProcessStep& step) {
    NewEvent event = EventOf(v1::ProcessStep::descriptor()->full_name());
    event.payload = step.SerializeAsString();
    store_.StartAppend({"$process_fulfilment/" + id}, {std::move(event)});
  }
  // One instance each, with a timer.
  void AppendSteps(std::size_t count) {
    v1::ProcessStep step;
    v1::ProcessTimer& timer = *step.mutable_open()->add_timers();
    timer.set_name("payment");
    timer.set_version(1);
    *timer.mutable_due_time() = TimestampOf(kDue);
    for (std::size_t i = 0; i < count; ++i) Append(absl::StrFormat("o%04d", i), step);
    store_.executor().RunUntilIdle();
  }
  FoldedPiece Fold() {
    absl::StatusOr<FoldedPiece> piece = directory_->Fold();
    EXPECT_TRUE(piece.ok()) << piece.status();
    return piece.ok() ? *std::move(piece) : FoldedPiece();
  }
  std::size_t TimersInFile() { return directory_->TimersAfter({}, kDue, 1'000'000).value().size(); }

  testing::ScratchDirectory files_;
  StoreOfTests store_;
  ManualClock clock_;
  const ProcessType type_ = MakeProcessType<FulfilmentProcess>(fulfil::v1::AuthorizePayment{nullptr});
  std::unique_ptr<FoldedDirectory> directory_;
};

TEST_F(FoldedDirectoryTest, TellsWhatATransactionHasAdded) {
  AppendSteps(FoldedDirectory::kStepsAPull + 1);
  const FoldedPiece begun = Fold();
  EXPECT_EQ(begun.steps, 0u);
  EXPECT_TRUE(begun.timers_set.empty());
  EXPECT_FALSE(begun.caught_up);
  EXPECT_EQ(TimersInFile(), 0u);
  const FoldedPiece whole = Fold();
  EXPECT_EQ(whole.steps, FoldedDirectory::kStepsAPull + 1);
  EXPECT_EQ(whole.timers_set.size(), FoldedDirectory::kStepsAPull + 1);
  EXPECT_TRUE(whole.caught_up);
  EXPECT_EQ(TimersInFile(), FoldedDirectory::kStepsAPull + 1);
  EXPECT_EQ(directory_->counts().timers, FoldedDirectory::kStepsAPull + 1);
}

TEST_F(FoldedDirectoryTest, GetsOnHoweverSoonItIsKilled) {
  constexpr std::size_t kLives = 5;
  AppendSteps(kLives * FoldedDirectory::kStepsAPull);
  for (std::size_t life = 1; life <= kLives; ++life) {
    Open();
    for (int pulls = 0; pulls < 2; ++pulls) {
      Fold();
      clock_.Advance(FoldedDirectory::kLongestTransaction);
    }
    EXPECT_GE(TimersInFile(), life * FoldedDirectory::kStepsAPull);
  }
  EXPECT_EQ(TimersInFile(), kLives * FoldedDirectory::kStepsAPull);
}

// A process that is new, or whose directory is made anew, where the log is full of what others did.
TEST_F(FoldedDirectoryTest, GetsOnWhereTheLogHasNoneOfItsSteps) {
  constexpr std::size_t kEvents = 30 * FoldedDirectory::kStepsAPull;
  for (std::size_t i = 0; i < kEvents / 1000; ++i) {
    store_.StartAppend({absl::StrFormat("$process_other/o%d", i)},
                       std::vector<NewEvent>(1000, EventOf(v1::ProcessStep::descriptor()->full_name())));
  }
  store_.executor().RunUntilIdle();
  int pulls = 0;
  for (bool caught_up = false; !caught_up;) {
    ASSERT_LT(pulls, 100) << "begins again and again";
    for (int i = 0; i < 15 && !caught_up; ++i, ++pulls) {
      caught_up = Fold().caught_up;
      clock_.Advance(FoldedDirectory::kLongestTransaction / 2);
    }
    Open();
  }
}

TEST_F(FoldedDirectoryTest, AnInstanceThatComesAndGoesInOneTransactionLeavesNothing) {
  AppendSteps(FoldedDirectory::kStepsAPull);
  v1::ProcessStep last;
  last.set_done(true);
  for (std::size_t i = 0; i < FoldedDirectory::kStepsAPull; ++i) Append(absl::StrFormat("o%04d", i), last);
  store_.executor().RunUntilIdle();
  std::size_t steps = 0;
  while (true) {
    const FoldedPiece piece = Fold();
    steps += piece.steps;
    if (piece.caught_up) break;
  }
  EXPECT_EQ(steps, 2 * FoldedDirectory::kStepsAPull);
  EXPECT_EQ(TimersInFile(), 0u);
  EXPECT_EQ(directory_->counts().instances, 0u);
}

}  // namespace
}  // namespace everfold
