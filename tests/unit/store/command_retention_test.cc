#include "everfold/store/index/command_retention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "everfold/log/memory/memory_log.h"
#include "everfold/runtime/manual_executor.h"
#include "everfold/store/event_store.h"
#include "tests/contract/scratch_directory.h"

namespace everfold {
namespace {

constexpr absl::Duration kDay = absl::Hours(24);
const absl::Time kNoon = absl::FromUnixSeconds(1'700'049'600);  // of a day

TEST(CommandRetention, KeepsWholeDaysOfRecordedTime) {
  const CommandRetention week(7 * kDay);
  EXPECT_EQ(week.FirstDay(absl::InfinitePast()), 0u);
  EXPECT_EQ(week.FirstDay(absl::UnixEpoch() + 3 * kDay), 0u);
  EXPECT_EQ(week.FirstDay(kNoon), DayOf(kNoon) - 7);
  EXPECT_EQ(CommandRetention(absl::Hours(25)).FirstDay(kNoon), DayOf(kNoon) - 2);
  EXPECT_EQ(CommandRetention(absl::ZeroDuration()).FirstDay(kNoon), DayOf(kNoon) - 1);
  EXPECT_EQ(CommandRetention(absl::InfiniteDuration()).FirstDay(kNoon), 0u);
}

TEST(CommandRetention, ADayBeginsAtMidnight) {
  EXPECT_EQ(DayOf(BeginOf(DayOf(kNoon))), DayOf(kNoon));
  EXPECT_EQ(kNoon - BeginOf(DayOf(kNoon)), absl::Hours(12));
}

// A store whose index is in memory, or in files.
class ForgettingStoreTest : public ::testing::TestWithParam<bool> {
 protected:
  ForgettingStoreTest() {
    executor_.clock().Advance(kNoon - executor_.clock().Now());
    options_.index.command_retention = 3 * kDay;
    options_.index.max_memory_bytes = 8'000;
    if (GetParam()) UseFiles("index");
    Open();
  }
  void UseFiles(const std::string& name) {
    options_.index.files = &PosixFiles();
    options_.index.directory = (scratch_.path() / name).string();
  }
  void Open() {
    log_ = std::make_unique<MemoryLog>(storage_, executor_);
    auto store = EventStore::Open(options_, *log_, executor_, executor_.clock(), random_);
    ASSERT_EQ(store.status(), absl::OkStatus());
    store_ = *std::move(store);
  }
  void CrashAndReopen() {
    executor_.DropAll();
    store_.reset();
    log_.reset();
    Open();
  }

  void CloseAndReopen() {
    std::atomic<bool> closed = false;  // on the index's thread
    store_->Close([&closed] { closed = true; });
    while (!closed) executor_.RunUntilIdle();
    store_.reset();
    log_.reset();
    Open();
  }

  static CommandId Command(int number) {
    return {.type = "wallet.v1.Deposit", .id = "r" + std::to_string(number), .fingerprint = "f"};
  }
  AppendResult Send(int number) {
    AppendRequest request;
    request.command = Command(number);
    request.streams.push_back({.stream = {"", "wallet", "w" + std::to_string(number % 7)}, .events = {}});
    request.streams[0].events.push_back(
        {.type = "wallet.v1.Deposited", .fingerprint = {}, .payload = "x", .event_time = {}, .tags = {}});
    std::optional<absl::StatusOr<AppendResult>> outcome;
    store_->Append(std::move(request),
                   [&outcome](absl::StatusOr<AppendResult> result) { outcome = std::move(result); });
    while (!outcome.has_value()) executor_.RunUntilIdle();  // the index's thread may have to make room first
    EXPECT_EQ(outcome->status(), absl::OkStatus());
    return **outcome;
  }
  bool Knows(int number) { return store_->FindCommand("", Command(number))->has_value(); }
  std::vector<std::string> Findings() {
    std::vector<std::string> found;
    const auto report = store_->Verify({});
    EXPECT_EQ(report.status(), absl::OkStatus());
    for (const Finding& finding : report->findings) found.push_back(finding.ToString());
    return found;
  }

  ScratchDirectory scratch_;
  ManualExecutor executor_{7};
  SeededRandom random_{7};
  EventStoreOptions options_;
  std::shared_ptr<MemoryLogStorage> storage_ =
      std::make_shared<MemoryLogStorage>(LogIdentity{{"0123456789abcdef"}, 4, std::string(32, 'k')});
  std::unique_ptr<MemoryLog> log_;
  std::unique_ptr<EventStore> store_;
};

TEST_P(ForgettingStoreTest, RemembersForTheRetentionAndNoLongerThanADayMore) {
  Send(1);
  executor_.clock().Advance(3 * kDay + absl::Hours(11));
  Send(2);
  EXPECT_TRUE(Knows(1));
  EXPECT_TRUE(Send(1).repeated);
  executor_.clock().Advance(absl::Hours(2));  // no commit was recorded on that day yet
  EXPECT_TRUE(Knows(1));
  Send(3);
  EXPECT_FALSE(Knows(1));
  EXPECT_TRUE(Knows(2));
  EXPECT_FALSE(Send(1).repeated);
  EXPECT_TRUE(Send(1).repeated);
}

TEST_P(ForgettingStoreTest, AnswersAlikeAfterReopeningAndWithAnIndexThatIsBuiltAnew) {
  for (int day = 0; day < 8; ++day) {
    for (int i = 0; i < 30; ++i) Send(day * 30 + i);
    executor_.clock().Advance(kDay);
  }
  for (const char* index : {"index", "new index"}) {
    if (GetParam()) UseFiles(index);
    CrashAndReopen();
    for (int i = 0; i < 240; ++i) EXPECT_EQ(Knows(i), i >= 120) << i;
    EXPECT_THAT(Findings(), ::testing::IsEmpty());
  }
}

// An index in memory is built anew at each opening.
TEST_P(ForgettingStoreTest, ALongerRetentionKeepsWhatIsThereAndBringsNothingBack) {
  for (int day = 0; day < 8; ++day) {
    for (int i = 0; i < 30; ++i) Send(day * 30 + i);
    executor_.clock().Advance(kDay);
  }
  options_.index.command_retention = 30 * kDay;
  const int first_known = GetParam() ? 120 : 0;
  for (int opening = 0; opening < 2; ++opening) {
    CloseAndReopen();
    EXPECT_THAT(Findings(), ::testing::IsEmpty());
    for (int i = 0; i < 240; ++i) EXPECT_EQ(Knows(i), i >= first_known) << i;
    for (int i = 0; i < 30; ++i) Send(300 + opening * 30 + i);
    EXPECT_THAT(Findings(), ::testing::IsEmpty());
    executor_.clock().Advance(kDay);
  }
  EXPECT_EQ(Send(0).repeated, !GetParam());
  EXPECT_TRUE(Send(0).repeated);
  EXPECT_THAT(Findings(), ::testing::IsEmpty());
  if (GetParam()) UseFiles("new index");
  CloseAndReopen();
  for (int i = 0; i < 240; ++i) EXPECT_TRUE(Knows(i)) << i;
  EXPECT_THAT(Findings(), ::testing::IsEmpty());
}

TEST_P(ForgettingStoreTest, TheVerifierFindsNothingAmiss) {
  for (int day = 0; day < 6; ++day) {
    for (int i = 0; i < 50; ++i) Send(day * 50 + i);
    EXPECT_THAT(Findings(), ::testing::IsEmpty()) << day;
    executor_.clock().Advance(kDay);
  }
}

INSTANTIATE_TEST_SUITE_P(Index, ForgettingStoreTest, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "InFiles" : "InMemory"; });

}  // namespace
}  // namespace everfold
