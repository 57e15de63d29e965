#include "everfold/process/process_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_format.h"
#include "everfold/base/timestamp.h"
#include "everfold/process/due_timers.h"
#include "everfold/testing/scratch_directory.h"
#include "tests/unit/process/fulfilment.h"

namespace everfold {
namespace {

using fulfil::v1::FulfilmentProcess;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

class ProcessDirectoryTest : public ::testing::Test {
 protected:
  ProcessDirectoryTest() { Open(); }

  void Open(const std::string& epoch = "0123456789abcdef") {
    directory_.reset();
    why_.clear();
    const Checkpoint beginning{.epoch = {epoch}, .offsets = std::vector<Offset>(2)};
    auto opened = ProcessDirectory::Open(files_.path() + "/fulfilment.db", type_, beginning, &why_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    directory_ = *std::move(opened);
  }

  auto Reading() {
    return [this](const DueTimer& after, absl::Time until, std::size_t limit) {
      return directory_->TimersAfter(after, until, limit);
    };
  }

  static StreamId Instance(const std::string& id) { return {"", "$process_fulfilment", id}; }
  static std::string Key(const std::string& id) { return "$process_fulfilment/" + id; }

  static void AddTimer(v1::ProcessStep& step, const std::string& name, absl::Time due, std::uint64_t version) {
    v1::ProcessTimer& timer = *step.mutable_open()->add_timers();
    timer.set_name(name);
    *timer.mutable_due_time() = TimestampOf(due);
    timer.set_version(version);
  }
  static v1::ProcessStep StepWithTimer(const std::string& name, absl::Time due, std::uint64_t version) {
    v1::ProcessStep step;
    AddTimer(step, name, due, version);
    return step;
  }

  void Apply(const std::string& id, std::uint64_t version, const v1::ProcessStep& step) {
    offset_ = offset_.Next();
    ASSERT_EQ(directory_->Apply(Instance(id), Version(version), step, kStart), absl::OkStatus());
    Checkpoint checkpoint = directory_->checkpoint();
    checkpoint.offsets[0] = offset_;
    ASSERT_EQ(directory_->Commit(checkpoint), absl::OkStatus());
  }

  std::vector<std::string> Timers(absl::Time until = absl::FromUnixSeconds(4'000'000'000), std::size_t limit = 100) {
    std::vector<std::string> timers;
    const auto found = directory_->TimersAfter({}, until, limit);
    EXPECT_TRUE(found.ok()) << found.status();
    for (const DueTimer& timer : *found) {
      timers.push_back(absl::StrFormat("%s %s@%d", timer.instance, timer.name, timer.version.value()));
    }
    return timers;
  }

  const ProcessType type_ = MakePureProcessType<FulfilmentProcess>();
  testing::ScratchDirectory files_;
  std::unique_ptr<ProcessDirectory> directory_;
  std::string why_;
  Offset offset_;
};

TEST_F(ProcessDirectoryTest, FoldsTimersInTheOrderInWhichTheyAreDue) {
  Apply("o1", 1, StepWithTimer("late", kStart + absl::Hours(2), 1));
  Apply("o2", 1, StepWithTimer("soon", kStart + absl::Hours(1), 1));
  EXPECT_THAT(Timers(), ElementsAre(Key("o2") + " soon@1", Key("o1") + " late@1"));
  EXPECT_THAT(Timers(kStart + absl::Hours(1)), ElementsAre(Key("o2") + " soon@1"));
  EXPECT_THAT(Timers(kStart + absl::Hours(3), 1), ElementsAre(Key("o2") + " soon@1"));
  Apply("o2", 2, {});
  EXPECT_THAT(Timers(), ElementsAre(Key("o1") + " late@1"));
  Apply("o1", 2, StepWithTimer("late", kStart + absl::Minutes(1), 2));
  EXPECT_THAT(Timers(), ElementsAre(Key("o1") + " late@2"));
  EXPECT_EQ(directory_->counts().timers, 1u);
  EXPECT_EQ(directory_->counts().instances, 2u);
}

TEST_F(ProcessDirectoryTest, AnInstanceStaysUntilNothingOfItIsInFlight) {
  v1::ProcessStep step;
  step.set_done(true);
  step.mutable_open()->add_commands()->set_version(1);
  Apply("o1", 1, step);
  EXPECT_EQ(directory_->counts().in_flight, 1u);
  const auto open = directory_->InFlightAfter("", 10);
  ASSERT_TRUE(open.ok() && open->size() == 1);
  EXPECT_EQ((*open)[0].key, Key("o1"));
  step.mutable_open()->clear_commands();
  Apply("o1", 2, step);
  EXPECT_EQ(directory_->counts().instances, 0u);
  EXPECT_EQ(directory_->counts().in_flight, 0u);
  EXPECT_TRUE(directory_->InFlightAfter("", 10)->empty());
}

TEST_F(ProcessDirectoryTest, OfStepsOfOneTransactionTheLastOneCounts) {
  Apply("o3", 1, StepWithTimer("old", kStart + absl::Hours(1), 1));
  v1::ProcessStep begun;
  begun.add_activities()->set_name("authorize_payment");
  begun.mutable_open()->add_activities()->set_version(1);
  v1::ProcessStep ended;
  ended.mutable_outcome()->mutable_activity()->set_version(1);
  ended.mutable_outcome()->set_answer_id("webhook-1");
  v1::ProcessStep done = ended;
  done.set_done(true);

  const auto apply = [this](const std::string& id, std::uint64_t version, const v1::ProcessStep& step) {
    ASSERT_EQ(directory_->Apply(Instance(id), Version(version), step, kStart), absl::OkStatus());
  };
  apply("o1", 1, begun);
  apply("o2", 1, begun);
  apply("o1", 2, done);
  apply("o2", 2, ended);
  apply("o2", 3, StepWithTimer("late", kStart + absl::Hours(2), 3));
  apply("o2", 2, ended);  // again: it changes nothing
  apply("o3", 2, done);
  ASSERT_EQ(directory_->Commit(directory_->checkpoint()), absl::OkStatus());

  EXPECT_EQ(directory_->counts().instances, 1u);
  EXPECT_EQ(directory_->counts().in_flight, 0u);
  EXPECT_EQ(directory_->counts().timers, 1u);
  EXPECT_THAT(Timers(), ElementsAre(Key("o2") + " late@3"));
  const auto found = directory_->FindActivity(ActivityKey(Instance("o1"), {Version(1), 0}, kStart));
  ASSERT_TRUE(found.ok() && found->has_value());
  EXPECT_TRUE((*found)->ended);
  EXPECT_EQ((*found)->answer_id, "webhook-1");
  Open();
  EXPECT_EQ(directory_->counts().instances, 1u);
  EXPECT_EQ(directory_->counts().timers, 1u);
}

TEST_F(ProcessDirectoryTest, WhatIsRolledBackLeavesNothing) {
  ASSERT_EQ(directory_->Apply(Instance("o1"), Version(1), StepWithTimer("late", kStart, 1), kStart), absl::OkStatus());
  directory_->Rollback();
  Apply("o2", 1, StepWithTimer("soon", kStart, 1));
  EXPECT_EQ(directory_->counts().instances, 1u);
  EXPECT_THAT(Timers(), ElementsAre(Key("o2") + " soon@1"));
}

TEST_F(ProcessDirectoryTest, KnowsActivitiesAndTheirAnswersForAWhile) {
  v1::ProcessStep step;
  step.add_activities()->set_name("authorize_payment");
  step.mutable_open()->add_activities()->set_version(1);
  Apply("o1", 1, step);
  const std::string key = ActivityKey(Instance("o1"), {Version(1), 0}, kStart);
  auto found = directory_->FindActivity(key);
  ASSERT_TRUE(found.ok() && found->has_value());
  EXPECT_EQ((*found)->instance, Key("o1"));
  EXPECT_EQ((*found)->ref, (OutgoingRef{Version(1), 0}));
  EXPECT_FALSE((*found)->ended);

  v1::ProcessStep end;
  end.mutable_outcome()->mutable_activity()->set_version(1);
  end.mutable_outcome()->set_answer_id("webhook-1");
  Apply("o1", 2, end);
  found = directory_->FindActivity(key);
  ASSERT_TRUE(found.ok() && found->has_value());
  EXPECT_TRUE((*found)->ended);
  EXPECT_EQ((*found)->answer_id, "webhook-1");

  v1::ProcessStep later;
  later.mutable_outcome()->mutable_activity()->set_version(9);
  ASSERT_EQ(directory_->Apply(Instance("o2"), Version(1), later, kStart + kKeepAnswers + absl::Seconds(1)),
            absl::OkStatus());
  ASSERT_EQ(directory_->Commit(directory_->checkpoint()), absl::OkStatus());
  found = directory_->FindActivity(key);
  ASSERT_TRUE(found.ok());
  EXPECT_FALSE(found->has_value());
}

TEST_F(ProcessDirectoryTest, IsThereAfterAReopen) {
  Apply("o1", 1, StepWithTimer("t", kStart, 1));
  Open();
  EXPECT_EQ(why_, "");
  EXPECT_EQ(directory_->checkpoint().offsets[0], Offset(1));
  EXPECT_EQ(directory_->counts().timers, 1u);
  EXPECT_THAT(Timers(), ElementsAre(Key("o1") + " t@1"));
}

TEST_F(ProcessDirectoryTest, WhatIsRolledBackNeverWas) {
  Apply("o1", 1, StepWithTimer("t", kStart, 1));
  ASSERT_EQ(directory_->Apply(Instance("o2"), Version(1), StepWithTimer("t", kStart, 1), kStart), absl::OkStatus());
  directory_->Rollback();
  EXPECT_THAT(Timers(), ElementsAre(Key("o1") + " t@1"));
  EXPECT_EQ(directory_->counts().instances, 1u);
}

TEST_F(ProcessDirectoryTest, OneOfAnotherHistoryIsMadeAnew) {
  Apply("o1", 1, StepWithTimer("t", kStart, 1));
  Open("another history ");
  EXPECT_EQ(why_, "it is of another history of the store");
  EXPECT_EQ(directory_->checkpoint().offsets[0], Offset(0));
  EXPECT_THAT(Timers(), IsEmpty());
}

class DueTimersTest : public ProcessDirectoryTest {
 protected:
  std::vector<std::string> TakeAll(DueTimers& due, absl::Time now) {
    std::vector<std::string> taken;
    while (true) {
      EXPECT_EQ(due.Fill(Reading(), now), absl::OkStatus());
      const std::optional<DueTimer> timer = due.TakeDue(now);
      if (!timer.has_value()) return taken;
      taken.push_back(timer->name);
    }
  }
  // As the runner does: into the directory, and then told.
  void Set(DueTimers& due, const std::string& id, absl::Time at) {
    Apply(id, 1, StepWithTimer(id, at, 1));
    due.Add({.due_micros = absl::ToUnixMicros(at), .instance = Key(id), .name = id, .version = Version(1)});
  }
};

// A step tells it at once, the directory later: perhaps what it has folded last before what it has folded first.
TEST_F(DueTimersTest, TheLastStepThatSetsATimerCounts) {
  DueTimers due(100, absl::Minutes(1));
  ASSERT_EQ(due.Fill(Reading(), kStart), absl::OkStatus());
  const auto timer = [](std::uint64_t version) {
    return DueTimer{
        .due_micros = absl::ToUnixMicros(kStart), .instance = Key("o1"), .name = "expiry", .version = Version(version)};
  };
  due.Add(timer(2));
  due.Add(timer(1));
  const std::optional<DueTimer> taken = due.TakeDue(kStart);
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(taken->version, Version(2));
  EXPECT_EQ(due.size(), 0u);
}

TEST_F(DueTimersTest, TakesEachOnceInOrderWhateverFitsIntoMemory) {
  for (const std::size_t most : {1u, 2u, 3u, 100u}) {
    DueTimers due(most, absl::Minutes(1));
    offset_ = {};
    ASSERT_EQ(ProcessDirectory::Remove(files_.path() + "/fulfilment.db"), absl::OkStatus());
    Open();
    for (int i = 9; i >= 0; --i) Set(due, absl::StrFormat("t%d", i), kStart + absl::Seconds(10 * i));
    EXPECT_THAT(TakeAll(due, kStart - absl::Seconds(1)), IsEmpty()) << most;
    EXPECT_THAT(TakeAll(due, kStart + absl::Seconds(20)), ElementsAre("t0", "t1", "t2")) << most;
    EXPECT_LE(due.size(), most);
    EXPECT_THAT(TakeAll(due, kStart + absl::Hours(1)), ElementsAre("t3", "t4", "t5", "t6", "t7", "t8", "t9")) << most;
    EXPECT_THAT(TakeAll(due, kStart + absl::Hours(2)), IsEmpty()) << most;
  }
}

TEST_F(DueTimersTest, TakesOneThatIsSetInThePastOrSoon) {
  DueTimers due(2, absl::Minutes(1));
  EXPECT_THAT(TakeAll(due, kStart), IsEmpty());
  Set(due, "past", kStart - absl::Hours(1));
  Set(due, "soon", kStart + absl::Seconds(1));
  EXPECT_THAT(TakeAll(due, kStart), ElementsAre("past"));
  EXPECT_EQ(due.NextLook(kStart), kStart + absl::Seconds(1));
  EXPECT_THAT(TakeAll(due, kStart + absl::Seconds(1)), ElementsAre("soon"));
}

TEST_F(DueTimersTest, TakesOneThatWasDueBefore1970AlsoAfterARestart) {
  Apply("old", 1, StepWithTimer("old", absl::UnixEpoch() - absl::Hours(1), 1));
  DueTimers due(10, absl::Minutes(1));
  EXPECT_THAT(TakeAll(due, kStart), ElementsAre("old"));
  due.Clear();
  EXPECT_THAT(TakeAll(due, kStart), ElementsAre("old"));  // nobody has fired it
}

TEST_F(DueTimersTest, TakesOneThatIsSetAgainForTheSameMoment) {
  DueTimers due(1, absl::Minutes(1));
  Apply("t", 1, StepWithTimer("t", kStart, 1));
  ASSERT_EQ(due.Fill(Reading(), kStart - absl::Seconds(1)), absl::OkStatus());
  // What is known goes as far as the first version of it.
  Apply("t", 2, StepWithTimer("t", kStart, 2));
  due.Add({.due_micros = absl::ToUnixMicros(kStart), .instance = Key("t"), .name = "t", .version = Version(2)});
  EXPECT_EQ(due.size(), 1u);
  const std::optional<DueTimer> timer = due.TakeDue(kStart);
  ASSERT_TRUE(timer.has_value());
  EXPECT_EQ(timer->version, Version(2));
}

TEST_F(DueTimersTest, LooksAgainBeforeItsHorizonEnds) {
  DueTimers due(10, absl::Minutes(1));
  EXPECT_THAT(TakeAll(due, kStart), IsEmpty());
  Set(due, "far", kStart + absl::Minutes(10));
  EXPECT_LE(due.NextLook(kStart), kStart + absl::Minutes(1));
  for (int minute = 0; minute < 10; ++minute) EXPECT_THAT(TakeAll(due, kStart + absl::Minutes(minute)), IsEmpty());
  EXPECT_THAT(TakeAll(due, kStart + absl::Minutes(10)), ElementsAre("far"));
}

}  // namespace
}  // namespace everfold
