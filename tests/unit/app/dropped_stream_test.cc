#include "everfold/app/dropped_stream.h"

#include <gtest/gtest.h>

namespace everfold {
namespace {

CommandLine Dropping(const std::string& key, const std::string& stream) {
  CommandLine line;
  line.key = key;
  line.stream = stream;
  return line;
}

TEST(DroppedStream, IsTheKeyUnlessItIsNamed) {
  EXPECT_EQ(DroppedStream(Dropping("order/o1", "")).value(), (StreamId{"", "order", "o1"}));
  EXPECT_EQ(DroppedStream(Dropping("acme:order/o1", "")).value(), (StreamId{"acme", "order", "o1"}));
  EXPECT_EQ(DroppedStream(Dropping("c7", "order/o1")).value(), (StreamId{"", "order", "o1"}));
  EXPECT_EQ(DroppedStream(Dropping("order/o2", "order/o1")).value(), (StreamId{"", "order", "o1"}));
}

TEST(DroppedStream, IsNotGuessed) {
  const absl::Status refused = DroppedStream(Dropping("c7", "")).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(refused.message(), "the key \"c7\" is no stream: name that of the event with --stream");
  EXPECT_EQ(DroppedStream(Dropping("order/o1", "c7")).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(DroppedStream, IsShownAsItIsAskedFor) {
  const StreamId stream = {"a:b/c", "order", "o1"};
  const std::string shown = StreamForPeople(stream.ToString(), stream.tenant);
  EXPECT_EQ(shown, "\"a%3Ab%2Fc:order/o1\"");
  EXPECT_EQ(DroppedStream(Dropping("c7", shown.substr(1, shown.size() - 2))).value(), stream);
}

}  // namespace
}  // namespace everfold
