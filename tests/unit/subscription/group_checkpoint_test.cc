#include "everfold/subscription/group_checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everfold/base/error.h"
#include "everfold/subscription/subscription.h"
#include "everfold/v1/group_checkpoint.pb.h"
#include "tests/unit/subscription/store_of_tests.h"

namespace everfold {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const StreamId kMailer{"", "$group", "mailer"};

class GroupCheckpointTest : public ::testing::Test {
 protected:
  std::unique_ptr<GroupCheckpoint> Open(const std::string& name = "mailer") {
    return GroupCheckpoint::Open(store_.store(), name).value();
  }
  std::unique_ptr<GroupCheckpoint> OpenAndLoad() {
    auto group = Open();
    EXPECT_TRUE(group->Load().ok());
    return group;
  }
  absl::Status Save(GroupCheckpoint& group, const Checkpoint& checkpoint) {
    std::optional<absl::Status> saved;
    group.Save(checkpoint, [&saved](absl::Status status) { saved = std::move(status); });
    store_.executor().RunUntilIdle();
    return saved.value_or(absl::InternalError("not called"));
  }
  // As if so many events had been handled.
  Checkpoint Head() const { return store_.store().DurableHead(); }
  Version Saves() { return store_.store().VersionOf(kMailer).value(); }

  mutable StoreOfTests store_;
};

TEST_F(GroupCheckpointTest, BeginsAtTheBeginning) { EXPECT_EQ(Open()->Load().value(), BeginningOf(store_.store())); }

TEST_F(GroupCheckpointTest, IsThereAgainAfterACrash) {
  store_.Append({"w/a"});
  const Checkpoint handled = Head();
  EXPECT_EQ(Save(*OpenAndLoad(), handled), absl::OkStatus());
  store_.CrashAndReopen();
  EXPECT_EQ(Open()->Load().value(), handled);
}

TEST_F(GroupCheckpointTest, NamesAreApart) {
  store_.Append({"w/a"});
  EXPECT_EQ(Save(*OpenAndLoad(), Head()), absl::OkStatus());
  EXPECT_EQ(Open("other")->Load().value(), BeginningOf(store_.store()));
}

TEST_F(GroupCheckpointTest, RefusesANameThatNoStreamCanHave) {
  const auto group = GroupCheckpoint::Open(store_.store(), std::string(201, 'n'));
  EXPECT_EQ(group.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(group.status().message()), HasSubstr("200"));
  EXPECT_EQ(GroupCheckpoint::Open(store_.store(), "").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(GroupCheckpointTest, RefusesToSaveBeforeItHasLoaded) {
  const absl::Status status = Save(*Open(), Head());
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), reason::kRequestInvalid);
}

TEST_F(GroupCheckpointTest, OfTwoReadersOneIsTold) {
  store_.Append({"w/a"});
  const auto one = OpenAndLoad();
  const auto two = OpenAndLoad();
  EXPECT_EQ(Save(*one, Head()), absl::OkStatus());
  for (int i = 0; i < 2; ++i) {
    const absl::Status status = Save(*two, Head());
    EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
    EXPECT_EQ(ReasonOf(status), reason::kVersionConflict);
  }
  EXPECT_EQ(Saves(), Version(1));
  store_.Append({"w/a"});
  ASSERT_TRUE(two->Load().ok());
  EXPECT_EQ(Save(*two, Head()), absl::OkStatus());
  EXPECT_EQ(ReasonOf(Save(*one, Head())), reason::kVersionConflict);
}

TEST_F(GroupCheckpointTest, KeepsTheNewestOfThoseThatFollow) {
  std::vector<Checkpoint> checkpoints;
  for (int i = 0; i < 10; ++i) {
    store_.Append({"w/a"});
    checkpoints.push_back(Head());
  }
  const auto group = OpenAndLoad();
  std::vector<absl::Status> saved;
  for (const Checkpoint& checkpoint : checkpoints) {
    group->Save(checkpoint, [&saved](absl::Status status) { saved.push_back(std::move(status)); });
  }
  store_.executor().RunUntilIdle();
  EXPECT_EQ(saved.size(), 10u);
  EXPECT_THAT(saved, Each(absl::OkStatus()));
  EXPECT_EQ(Saves(), Version(2));
  EXPECT_EQ(Open()->Load().value(), checkpoints.back());
}

TEST_F(GroupCheckpointTest, ThoseThatWaitAreToldOfAConflictToo) {
  store_.Append({"w/a"});
  const auto one = OpenAndLoad();
  const auto two = OpenAndLoad();
  EXPECT_EQ(Save(*one, Head()), absl::OkStatus());
  std::vector<std::string> reasons;
  for (int i = 0; i < 3; ++i) {
    two->Save(Head(), [&reasons](const absl::Status& status) { reasons.push_back(ReasonOf(status)); });
  }
  store_.executor().RunUntilIdle();
  EXPECT_THAT(reasons, ElementsAre("VERSION_CONFLICT", "VERSION_CONFLICT", "VERSION_CONFLICT"));
}

TEST_F(GroupCheckpointTest, SavesEndWithoutTheirReader) {
  store_.Append({"w/a"});
  std::optional<absl::Status> saved;
  OpenAndLoad()->Save(Head(), [&saved](absl::Status status) { saved = std::move(status); });
  store_.executor().RunUntilIdle();
  EXPECT_EQ(saved, absl::OkStatus());
}

TEST_F(GroupCheckpointTest, ACheckpointOfAnotherHistoryIsRefusedAndCanBeReplaced) {
  Checkpoint other = Head();
  other.epoch.bytes = "fedcba9876543210";
  const auto group = OpenAndLoad();
  EXPECT_EQ(ReasonOf(Save(*group, other)), reason::kOtherHistory);
  EXPECT_EQ(Saves(), Version(0));
  // Saved in a history that this store was restored from.
  v1::GroupCheckpoint message;
  message.set_epoch(other.epoch.bytes);
  for (std::size_t i = 0; i < other.offsets.size(); ++i) message.add_offsets(0);
  NewEvent event = EventOf("everfold.v1.GroupCheckpoint");
  event.payload = message.SerializeAsString();
  store_.Append({"$group/mailer"}, {event});
  const absl::Status refused = group->Load().status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(refused), reason::kOtherHistory);
  EXPECT_EQ(Save(*group, Head()), absl::OkStatus());
  EXPECT_TRUE(group->Load().ok());
}

TEST_F(GroupCheckpointTest, ACheckpointBeyondTheHeadIsDataLoss) {
  Checkpoint beyond = Head();
  beyond.offsets[4] = Offset(9);
  EXPECT_EQ(Save(*OpenAndLoad(), beyond).code(), absl::StatusCode::kDataLoss);
}

TEST_F(GroupCheckpointTest, WhatIsNoCheckpointIsDataLoss) {
  store_.Append({"$group/mailer"}, {EventOf("T")});
  const absl::Status status = Open()->Load().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(std::string(status.message()), "version 1 of $group/mailer is no checkpoint");
}

// Whoever saves what it has seen, and sees what it saved, comes to an end.
TEST_F(GroupCheckpointTest, HavingSeenTheSaveIsNotSaved) {
  store_.Append({"w/a"});
  SubscriptionOptions all;
  all.selection.framework_streams = all.selection.group_streams = true;
  const auto subscription = Subscription::Start(store_.store(), {}, all).value();
  const auto group = OpenAndLoad();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(subscription->Pull(10, [](const RecordedEvent&) { return absl::OkStatus(); }).ok());
    EXPECT_EQ(Save(*group, subscription->checkpoint()), absl::OkStatus());
  }
  EXPECT_EQ(Saves(), Version(1));
}

}  // namespace
}  // namespace everfold
