#include "everfold/event/event_tally.h"

#include "gtest/gtest.h"

namespace everfold {
namespace {

// One event, whose parts can be changed.
struct Event {
  StreamId stream{"", "account", "a"};
  CommandId command = {};
  Metadata metadata = {};
  std::string type = "ledger.v1.Credited", fingerprint = {}, payload = "payload";
  Version version = Version(3);
  Position position{PartitionId(1), Offset(7)};
  Sequence sequence = Sequence(9);

  EventTally Tally() const {
    return TallyOf({.commit = {sequence, absl::UnixEpoch(), command, metadata},
                    .stream = {stream, version},
                    .event = {type, fingerprint, absl::UnixEpoch(), {}, PayloadCodec::kPlain, payload},
                    .version = version,
                    .position = position});
  }
};

TEST(EventTallyTest, EveryPartOfAnEventCounts) {
  const EventTally whole = Event().Tally();
  EXPECT_EQ(whole, Event().Tally());
  EXPECT_EQ(whole.count, 1u);
  EXPECT_NE(whole, Event{.payload = "payloae"}.Tally());
  EXPECT_NE(whole, Event{.type = "ledger.v1.Debited"}.Tally());
  EXPECT_NE(whole, (Event{.stream = {"", "account", "b"}}.Tally()));
  EXPECT_NE(whole, (Event{.stream = {"t", "account", "a"}}.Tally()));
  EXPECT_NE(whole, Event{.version = Version(4)}.Tally());
  EXPECT_NE(whole, (Event{.position = {PartitionId(2), Offset(7)}}.Tally()));
  EXPECT_NE(whole, (Event{.position = {PartitionId(1), Offset(8)}}.Tally()));
  EXPECT_NE(whole, Event{.sequence = Sequence(10)}.Tally());
}

TEST(EventTallyTest, OrderDoesNotCountAndNumberDoes) {
  const EventTally a = Event().Tally(), b = Event{.payload = "other"}.Tally();
  EXPECT_EQ(a + b, b + a);
  EXPECT_NE(a + a, a);
  EventTally sum = a + b;
  sum -= a;
  EXPECT_EQ(sum, b);
  EXPECT_EQ((a + b).count, 2u);
}

// Files keep them: what they come to must not change.
TEST(EventTallyTest, DigestIsWhatFilesHold) { EXPECT_EQ(Event().Tally().Hex(), "8d30bb785718ab4a9a587b694fffd752"); }

}  // namespace
}  // namespace everfold
