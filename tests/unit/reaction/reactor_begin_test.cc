// Handlers that complete by a callback.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <utility>

#include "tests/unit/reaction/mailbox.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

struct UnderWay {
  std::string about;
  unsigned attempt;
  ReactorType::Done done;
};

class ReactorBeginTest : public ::testing::Test {
 protected:
  // Events of ten keys at a time, on no thread.
  ReactorType Type() {
    ReactorType type = box_.Type();
    type.concurrency = 10;
    type.begin = [this](const std::string&, const TakenEvent& event, unsigned attempt, ReactorType::Done done) {
      begun_.push_back({absl::StrFormat("%s@%d", event.place.stream.ToString(), event.place.version.value()), attempt,
                        std::move(done)});
    };
    return type;
  }
  std::vector<std::string> Begun() const {
    std::vector<std::string> about;
    for (const auto& one : begun_) about.push_back(one.about);
    return about;
  }
  void End(const std::string& about, absl::Status result = absl::OkStatus()) {
    for (auto one = begun_.begin(); one != begun_.end(); ++one) {
      if (one->about != about) continue;
      ReactorType::Done done = std::move(one->done);
      begun_.erase(one);
      done(std::move(result));
      box_.executor().RunUntilIdle();
      return;
    }
    FAIL() << about << " is not under way";
  }

  std::deque<UnderWay> begun_;
  Mailbox box_;
};

TEST_F(ReactorBeginTest, ManyKeysAreUnderWayAndEachInItsOrder) {
  for (const char* const account : {"a", "b", "c"}) {
    box_.Credit(account);
    box_.Credit(account);
  }
  box_.Run(Type());
  EXPECT_THAT(Begun(), UnorderedElementsAre("account/a@1", "account/b@1", "account/c@1"));
  End("account/b@1");
  EXPECT_THAT(Begun(), UnorderedElementsAre("account/a@1", "account/c@1", "account/b@2"));
  End("account/b@2");
  End("account/a@1", absl::NotFoundError("no address"));
  EXPECT_THAT(Begun(), ElementsAre("account/c@1"));
  ASSERT_EQ(box_.Keys().size(), 1u);
  EXPECT_TRUE(box_.Keys()[0].parked);
}

TEST_F(ReactorBeginTest, WhatIsAnsweredLaterIsTriedAgain) {
  box_.Credit("a");
  box_.Run(Type());
  End("account/a@1", absl::UnavailableError("down"));
  EXPECT_THAT(Begun(), IsEmpty());
  box_.executor().Advance(absl::Seconds(10));
  ASSERT_THAT(Begun(), ElementsAre("account/a@1"));
  EXPECT_EQ(begun_.front().attempt, 2u);
}

TEST_F(ReactorBeginTest, ACloseWaitsAndWhatWasNotTriedIsAsItWas) {
  box_.Credit("a");
  box_.Credit("b");
  box_.Run(Type());
  bool closed = false;
  box_.reactor().Close([&closed] { closed = true; });
  box_.executor().RunUntilIdle();
  EXPECT_FALSE(closed);
  End("account/a@1");
  EXPECT_FALSE(closed);
  End("account/b@1", absl::CancelledError("closing"));
  EXPECT_TRUE(closed);
  box_.CrashAndReopen();
  begun_.clear();
  box_.Run(Type());
  ASSERT_THAT(Begun(), ElementsAre("account/b@1"));
  EXPECT_EQ(begun_.front().attempt, 1u);
}

}  // namespace
}  // namespace everfold
