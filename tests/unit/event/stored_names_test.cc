#include "everfold/event/stored_names.h"

#include <gmock/gmock.h>

namespace everfold {
namespace {

using testing::ElementsAre;

TEST(StoredNamesTest, AreAskedForBesideTheTypesThatHaveThem) {
  StoredNames names;
  names.Add("a.New", "a.Old");
  names.Add("a.New", "a.Older");
  EventQuery query{{{.types = {"a.Other", "a.New"}, .tags = {"t"}}, {.types = {"a.Other"}, .tags = {}}}};
  names.AddTo(query);
  EXPECT_THAT(query.items[0].types, ElementsAre("a.Other", "a.New", "a.Old", "a.Older"));
  EXPECT_THAT(query.items[0].tags, ElementsAre("t"));
  EXPECT_THAT(query.items[1].types, ElementsAre("a.Other"));
}

TEST(StoredNamesTest, AreAskedForOnce) {
  StoredNames names;
  names.Add("a.New", "a.Old");
  EventQuery query{{{.types = {"a.New", "a.Old"}, .tags = {}}}};
  names.AddTo(query);
  EXPECT_THAT(query.items[0].types, ElementsAre("a.New", "a.Old"));
}

TEST(StoredNamesTest, LeaveQueriesForAnyTypeAsTheyAre) {
  StoredNames names;
  names.Add("a.New", "a.Old");
  EventQuery tags{{{.types = {}, .tags = {"t"}}}};
  names.AddTo(tags);
  EXPECT_TRUE(tags.items[0].types.empty());
  EventQuery all;
  names.AddTo(all);
  EXPECT_TRUE(all.all());
}

}  // namespace
}  // namespace everfold
