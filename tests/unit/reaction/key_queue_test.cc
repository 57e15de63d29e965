#include "everfold/reaction/key_queue.h"

#include <gtest/gtest.h>

#include <memory>

#include "tests/unit/reaction/mailbox.h"

namespace everfold {
namespace {

class KeyQueueTest : public ::testing::Test {
 protected:
  KeyQueueTest() {
    for (const char* const key : {"a", "b", "c"}) keys_.push_back({.key = key, .at = {}, .passed = true});
    queue_.Load(keys_);
  }
  std::unique_ptr<KeyEvents> ReaderOf(const std::string& key) {
    return std::make_unique<KeyEvents>(type_, mailbox_.store(), key, EventPlace(), /*passed=*/true);
  }

  Mailbox mailbox_;
  const ReactorType type_ = mailbox_.Type();
  std::vector<ReactorKey> keys_;
  KeyQueue queue_;
};

TEST_F(KeyQueueTest, TheOldestReaderMakesRoom) {
  ASSERT_TRUE(queue_.AddReader("a", ReaderOf("a"), 2));
  ASSERT_TRUE(queue_.AddReader("b", ReaderOf("b"), 2));
  ASSERT_TRUE(queue_.AddReader("c", ReaderOf("c"), 2));
  EXPECT_EQ(queue_.readers(), 2u);
  EXPECT_EQ(queue_.At("a").reader, nullptr);
  EXPECT_NE(queue_.At("b").reader, nullptr);
  EXPECT_NE(queue_.At("c").reader, nullptr);
}

// What it has looked at would be looked at again, and again.
TEST_F(KeyQueueTest, AKeyThatSearchesKeepsItsReader) {
  ASSERT_TRUE(queue_.AddReader("a", ReaderOf("a"), 1));
  queue_.At("a").searching = true;
  EXPECT_FALSE(queue_.AddReader("b", ReaderOf("b"), 1));
  EXPECT_NE(queue_.At("a").reader, nullptr);
  EXPECT_EQ(queue_.At("b").reader, nullptr);
  queue_.At("a").searching = false;
  EXPECT_TRUE(queue_.AddReader("b", ReaderOf("b"), 1));
  EXPECT_EQ(queue_.At("a").reader, nullptr);
}

TEST_F(KeyQueueTest, AKeyThatIsGoneHasNoReader) {
  ASSERT_TRUE(queue_.AddReader("a", ReaderOf("a"), 2));
  ASSERT_TRUE(queue_.AddReader("b", ReaderOf("b"), 2));
  queue_.Remove("a");
  EXPECT_EQ(queue_.readers(), 1u);
  queue_.Load(keys_);
  EXPECT_EQ(queue_.readers(), 0u);
}

// Nobody waits for a key that has stood still for long.
TEST_F(KeyQueueTest, WhatIsFarBehindReadsByItself) {
  const Checkpoint taken{.epoch = {}, .offsets = std::vector<Offset>(4, Offset(KeyQueue::kLongestSearch))};
  const auto place = [](std::uint64_t behind) {
    return EventPlace{.stream = {"", "account", "a"},
                      .version = Version(1),
                      .position = {PartitionId(2), Offset(KeyQueue::kLongestSearch - behind)},
                      .sequence = Sequence(4 * (KeyQueue::kLongestSearch - behind))};
  };
  queue_.Load({{.key = "far", .at = place(KeyQueue::kLongestSearch / 4 + 1), .passed = true},
               {.key = "near", .at = place(KeyQueue::kLongestSearch / 4), .passed = true},
               {.key = "nearer", .at = place(1), .passed = true}});
  EXPECT_EQ(queue_.BeginSearch(taken), place(KeyQueue::kLongestSearch / 4).sequence);
  EXPECT_EQ(queue_.TakeReady(), "far");
  EXPECT_EQ(queue_.TakeReady(), std::nullopt);
  queue_.EndSearch();
  EXPECT_EQ(queue_.keys(), 1u);
}

}  // namespace
}  // namespace everfold
