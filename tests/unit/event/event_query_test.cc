#include "everfold/event/event_query.h"

#include <gtest/gtest.h>

#include "everfold/base/error.h"

namespace everfold {
namespace {

const std::vector<std::string> kTags = {"course:c1", "student:s1"};

TEST(EventQuery, WithoutItemsIsMetByEveryEvent) {
  EXPECT_TRUE(Matches(EventQuery(), "a.Defined", {}));
  EXPECT_TRUE(Matches(EventQuery(), "a.Defined", kTags));
}

TEST(EventQuery, IsMetByAnyOfTheTypesOfAnItem) {
  const EventQuery query{{{.types = {"a.Defined", "a.Changed"}, .tags = {}}}};
  EXPECT_TRUE(Matches(query, "a.Changed", {}));
  EXPECT_FALSE(Matches(query, "a.Change", {}));
}

TEST(EventQuery, AsksForAllTagsOfAnItem) {
  const EventQuery query{{{.types = {}, .tags = {"student:s1", "course:c1"}}}};
  EXPECT_TRUE(Matches(query, "a.Subscribed", kTags));
  EXPECT_FALSE(Matches(query, "a.Subscribed", {"student:s1"}));
  EXPECT_FALSE(Matches(query, "a.Subscribed", {}));
}

TEST(EventQuery, AsksForTypeAndTagsOfTheSameItem) {
  const EventQuery query{{{.types = {"a.Defined"}, .tags = {"course:c1"}}, {.types = {"a.Closed"}, .tags = {}}}};
  EXPECT_TRUE(Matches(query, "a.Defined", kTags));
  EXPECT_TRUE(Matches(query, "a.Closed", {}));
  EXPECT_FALSE(Matches(query, "a.Defined", {"student:s1"}));
  EXPECT_FALSE(Matches(query, "a.Subscribed", kTags));
}

TEST(EventQuery, RefusesAnItemThatSaysNothing) {
  const absl::Status status = ValidateQuery({{QueryItem()}});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(status), reason::kRequestInvalid);
}

TEST(EventQuery, RefusesMoreItemsThanTheLimit) {
  EventQuery query;
  query.items.assign(kMaxQueryItems, {.types = {"a.Defined"}, .tags = {}});
  EXPECT_TRUE(ValidateQuery(query).ok());
  query.items.push_back(query.items.front());
  const absl::Status status = ValidateQuery(query);
  EXPECT_EQ(ReasonOf(status), reason::kLimitExceeded);
  EXPECT_EQ(status.message(), "items of a query: at most 100, there are 101");
}

TEST(EventQuery, RefusesTagsThatNoEventCanHave) {
  EXPECT_EQ(ValidateQuery({{{.types = {}, .tags = {std::string("a\0b", 3)}}}}).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ValidateQuery({{{.types = {""}, .tags = {}}}}).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace everfold
