#include "everfold/event/event_key.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace everfold {
namespace {

TEST(EventKey, DifferentStreamsHaveDifferentKeysWhateverTheTenantIs) {
  const std::vector<StreamId> streams = {{"", "d", "e"},      {"a", "b", "c:d/e"},     {"a:b/c", "d", "e"},
                                         {"a:b", "c", "d/e"}, {"a%3Ab%2Fc", "d", "e"}, {"a%", "d", "e"},
                                         {"a%25", "d", "e"},  {"", "b", "c:d/e"},      {"%3A", "d", "e"},
                                         {":", "d", "e"},     {"%253A", "d", "e"}};
  std::set<std::string> keys;
  for (const StreamId& stream : streams) {
    EXPECT_TRUE(keys.insert(KeyOfStream(stream)).second) << KeyOfStream(stream);
    EXPECT_EQ(StreamOfKey(KeyOfStream(stream)).value(), stream);
  }
}

TEST(EventKey, IsPlainWhereTheTenantIs) {
  EXPECT_EQ(KeyOfStream({"", "order", "o1"}), "order/o1");
  EXPECT_EQ(KeyOfStream({"acme", "order", "o1"}), "acme:order/o1");
  EXPECT_EQ(KeyOfStream({"a:b/c", "order", "o1"}), "a%3Ab%2Fc:order/o1");
}

TEST(EventKey, FitsWhereKeysAreKeptForTheLongestNames) {
  const StreamId longest = {std::string(kMaxTenantBytes, '/'), std::string(kMaxAggregateNameBytes, 'a'),
                            std::string(kMaxIdBytes, 'i')};
  EXPECT_LE(KeyOfStream(longest).size(), kMaxKeyBytes);
}

TEST(EventKey, WhatIsNoStreamIsRefused) {
  for (const char* const key : {"", "all", "acme:all", "/", "acme:", "Order/o1"}) {
    EXPECT_EQ(StreamOfKey(key).status().code(), absl::StatusCode::kInvalidArgument) << key;
  }
}

}  // namespace
}  // namespace everfold
