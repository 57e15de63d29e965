// Which tags an event has, and how queries name them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hall/v1/hall.everfold.h"

namespace everfold {
namespace {

using hall::v1::SeatRemoved;
using hall::v1::SeatsTaken;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

template <class E>
std::vector<std::string> TagsOf(const E& event) {
  std::vector<std::string> tags;
  EventTraits<E>::AddTags(event, tags);
  return tags;
}

TEST(TagsTest, AreTheValuesOfTheMarkedFields) {
  SeatsTaken taken;
  taken.set_guest_id("anna");
  taken.add_seat_ids("1");
  taken.add_seat_ids("2");
  taken.set_row(0);
  taken.add_days(-3);
  taken.add_days(1'000'000'000'000);
  taken.set_paid_by("ben");
  EXPECT_THAT(TagsOf(taken),
              ElementsAre("guest_id:anna", "seat:1", "seat:2", "row:0", "day:-3", "day:1000000000000", "guest_id:ben"));
  EXPECT_THAT(TagsOf(SeatRemoved()), IsEmpty());
}

// A query for the empty value must find it.
TEST(TagsTest, AFieldWithoutPresenceAlwaysGivesOneAndOneWithPresenceOnlyIfItIsSet) {
  EXPECT_THAT(TagsOf(SeatsTaken()), ElementsAre("guest_id:"));
}

TEST(TagsTest, AreThereOnce) {
  SeatsTaken taken;
  taken.set_guest_id("anna");
  taken.set_paid_by("anna");
  taken.add_seat_ids("1");
  taken.add_seat_ids("1");
  EXPECT_THAT(TagsOf(taken), ElementsAre("guest_id:anna", "seat:1"));
}

TEST(TagsTest, OfAQueryAreSpelledAsThoseOfEvents) {
  EXPECT_EQ(Tag<"seat">("1").text(), "seat:1");
  EXPECT_EQ(Tag<"row">(7u).text(), "row:7");
  EXPECT_EQ(Tag<"day">(std::int64_t{-3}).text(), "day:-3");
}

TEST(BoundaryQueryTest, HasAnItemForEachPart) {
  EventQuery query =
      AnyOf(EventsWith<SeatsTaken>(Tag<"seat">("1"), Tag<"row">(7)), EventsWith<SeatsTaken>(Tag<"guest_id">("anna")))
          .Release();
  const std::vector<std::string> types = {"hall.v1.SeatsTaken"};
  EXPECT_EQ(query,
            (EventQuery{{{.types = types, .tags = {"seat:1", "row:7"}}, {.types = types, .tags = {"guest_id:anna"}}}}));
  BoundaryQuery<SeatsTaken> grown;
  for (const char* seat : {"1", "2"}) grown.Add(EventsWith<SeatsTaken>(Tag<"seat">(seat)));
  EXPECT_EQ(std::move(grown).Release().items.size(), 2u);
}

}  // namespace
}  // namespace everfold
