#include "tests/linearizability/told_calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

AppendCall Sent() {
  AppendCall append{.number = 17, .time = {.start = 100}};
  append.parts = {{.stream = 2, .expected = Version(0), .events = 1}, {.stream = 3, .events = 2}};
  return append;
}

TEST(ToldCalls, AnAppendIsToldInTwoLines) {
  ToldHistory told(1);
  AppendCall append = Sent();
  EXPECT_TRUE(told.Note(SentLine(append)));
  EXPECT_EQ(told.calls(), 0u);
  append.time.end = 250;
  append.outcome = AppendOutcome::kDone;
  append.sequence = Sequence(12);
  append.parts[0].version = Version(1);
  append.parts[1].version = Version(9);
  EXPECT_TRUE(told.Note(AnsweredLine(append)));
  EXPECT_EQ(told.calls(), 1u);
  EXPECT_EQ(told.next_append(), 18u);
  ASSERT_EQ(told.history().appends.size(), 1u);
  EXPECT_EQ(Describe(told.history().appends[0]),
            "append 17 [100, 250] to stream 2 at 0 +1, stream 3 at any +2: version 1, 9, commit 12");
}

TEST(ToldCalls, AConflictIsToldWithItsStream) {
  ToldHistory told(1);
  AppendCall append = Sent();
  EXPECT_TRUE(told.Note(SentLine(append)));
  append.time.end = 250;
  append.outcome = AppendOutcome::kConflict;
  append.conflicting = 2;
  append.actual = Version(5);
  EXPECT_TRUE(told.Note(AnsweredLine(append)));
  EXPECT_EQ(Describe(told.history().appends[0]),
            "append 17 [100, 250] to stream 2 at 0 +1, stream 3 at any +2: conflict, stream 2 is at 5");
}

TEST(ToldCalls, AnAppendWithoutAnswerEndsWithItsProcess) {
  ToldHistory told(1);
  EXPECT_TRUE(told.Note(SentLine(Sent())));
  told.OnDeath(400);
  EXPECT_EQ(told.calls(), 1u);
  EXPECT_EQ(Describe(told.history().appends[0]),
            "append 17 [100, 400] to stream 2 at 0 +1, stream 3 at any +2: unknown");
}

TEST(ToldCalls, AReadIsToldWithItsEvents) {
  ToldHistory told(1);
  ReadCall read{.time = {100, 250}, .stream = 2, .after = Version(4), .events = {{Version(5), 17}}, .to_end = false};
  EXPECT_TRUE(told.Note(ReadLine(read)));
  read = {.time = {300, 310}, .stream = 3, .head = Version(7)};
  EXPECT_TRUE(told.Note(ReadLine(read)));
  ASSERT_EQ(told.history().reads.size(), 2u);
  EXPECT_EQ(Describe(told.history().reads[0]), "read [100, 250] of stream 2 after 4: 5 of append 17, and more");
  EXPECT_EQ(Describe(told.history().reads[1]), "read [300, 310] of stream 3: version 7");
}

TEST(ToldCalls, APullIsToldWithItsCheckpoint) {
  ToldHistory told(2);
  const PullCall pull{.time = {100, 250},
                      .subscriber = 1,
                      .caught_up = true,
                      .events = {{Sequence(12), {PartitionId(3), Offset(8)}, 2, Version(5), 17}}};
  EXPECT_TRUE(told.Note(PulledLine(pull, {0, 0, 0, 8})));
  EXPECT_THAT(told.CheckpointOf(0), IsEmpty());
  EXPECT_THAT(told.CheckpointOf(1), ElementsAre(0u, 0u, 0u, 8u));
  ASSERT_EQ(told.history().pulls.size(), 1u);
  EXPECT_EQ(Describe(told.history().pulls[0]), Describe(pull));
}

TEST(ToldCalls, OtherLinesAreNoCalls) {
  ToldHistory told(1);
  EXPECT_FALSE(told.Note("opening"));
  EXPECT_FALSE(told.Note("wrong it is closed"));
}

}  // namespace
}  // namespace everfold
