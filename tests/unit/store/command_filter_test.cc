#include "everfold/store/index/command_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace everfold {
namespace {

CommandDigest Digest(int number) {
  static const CommandDigester digester("key");
  return digester.Digest("t", "test.v1.Fill", std::to_string(number));
}

TEST(CommandFilterTest, TellsNothingBeforeItIsComplete) {
  CommandFilter filter(1 << 20);
  EXPECT_TRUE(filter.MayHave(Digest(1)));
  filter.Complete();
  EXPECT_FALSE(filter.MayHave(Digest(1)));
}

TEST(CommandFilterTest, MissesNoCommandAndFewThatWereNever) {
  CommandFilter filter(16 << 20);
  filter.Complete();
  constexpr int kCommands = 1'000'000;
  for (int i = 0; i < kCommands; ++i) filter.Add(Digest(i), 1, 0);
  for (int i = 0; i < kCommands; ++i) ASSERT_TRUE(filter.MayHave(Digest(i))) << i;
  int wrong = 0;
  for (int i = kCommands; i < 2 * kCommands; ++i) wrong += filter.MayHave(Digest(i)) ? 1 : 0;
  EXPECT_LT(wrong, kCommands / 20);
  EXPECT_FALSE(filter.gave_up());
  EXPECT_LT(filter.bytes(), 8u << 20);
}

TEST(CommandFilterTest, GivesUpBeyondItsMemory) {
  CommandFilter filter(1 << 20);
  filter.Complete();
  for (int i = 0; i < 1'500'000; ++i) filter.Add(Digest(i), 1, 0);
  EXPECT_TRUE(filter.gave_up());
  EXPECT_EQ(filter.bytes(), 0u);
  EXPECT_TRUE(filter.MayHave(Digest(-1)));
}

TEST(CommandFilterTest, ForgottenDaysGiveTheirMemoryBack) {
  CommandFilter filter(8 << 20);
  filter.Complete();
  for (Day day = 0; day < 20; ++day) {
    for (int i = 0; i < 300'000; ++i)
      filter.Add(Digest(static_cast<int>(day) * 300'000 + i), day, day < 3 ? 0 : day - 3);
  }
  EXPECT_FALSE(filter.gave_up());
  for (int i = 17 * 300'000; i < 20 * 300'000; ++i) ASSERT_TRUE(filter.MayHave(Digest(i)));
}

TEST(CommandFilterTest, KeepsNothingWithoutMemory) {
  CommandFilter filter(0);
  filter.Complete();
  filter.Add(Digest(1), 1, 0);
  EXPECT_TRUE(filter.MayHave(Digest(1)));
  EXPECT_TRUE(filter.gave_up());
}

}  // namespace
}  // namespace everfold
