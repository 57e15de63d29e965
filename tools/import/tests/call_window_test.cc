#include "tools/import/call_window.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;

const CallWindow::Options kQuick{.in_flight = 2,
                                 .first_pause = absl::ZeroDuration(),
                                 .longest_pause = absl::ZeroDuration(),
                                 .give_up_after = absl::InfiniteDuration()};

// A peer that answers when it is told to, or at once.
class Peer {
 public:
  CallWindow::Attempt Hold() {
    return [this](CallWindow::Answer answer) { held_.push_back(std::move(answer)); };
  }
  // Answers each attempt with the next of these, and OK when there are none left.
  CallWindow::Attempt AnswerWith(std::vector<absl::Status> answers) {
    return [answers = std::move(answers), next = std::size_t{0}](CallWindow::Answer answer) mutable {
      answer(next < answers.size() ? answers[next++] : absl::OkStatus());
    };
  }
  void AnswerOldest(absl::Status status) {
    held_.front()(std::move(status));
    held_.erase(held_.begin());
  }
  std::size_t held() const { return held_.size(); }

 private:
  std::vector<CallWindow::Answer> held_;
};

TEST(CallWindow, FinishesEachCallWithItsOutcome) {
  Peer peer;
  CallWindow window(kQuick);
  std::vector<absl::Status> outcomes;
  const auto keep = [&outcomes](const absl::Status& status) { outcomes.push_back(status); };
  window.Call(peer.AnswerWith({}), keep);
  window.Call(peer.AnswerWith({absl::AbortedError("no")}), keep);
  window.Drain();
  EXPECT_THAT(outcomes, ElementsAre(absl::OkStatus(), absl::AbortedError("no")));
  EXPECT_EQ(window.repeats(), 0);
}

TEST(CallWindow, SendsAgainAfterAPassingError) {
  Peer peer;
  CallWindow window(kQuick);
  absl::Status outcome = absl::InternalError("not finished");
  window.Call(peer.AnswerWith({absl::UnavailableError(""), absl::UnknownError(""), absl::ResourceExhaustedError(""),
                               absl::DeadlineExceededError("")}),
              [&outcome](const absl::Status& status) { outcome = status; });
  window.Drain();
  EXPECT_EQ(outcome, absl::OkStatus());
  EXPECT_EQ(window.repeats(), 4);
}

TEST(CallWindow, GivesUpInTheEnd) {
  Peer peer;
  CallWindow::Options options = kQuick;
  options.give_up_after = absl::ZeroDuration();
  CallWindow window(options);
  absl::Status outcome;
  window.Call(peer.AnswerWith({absl::UnavailableError("down")}),
              [&outcome](const absl::Status& status) { outcome = status; });
  window.Drain();
  EXPECT_EQ(outcome, absl::UnavailableError("down"));
  EXPECT_EQ(window.repeats(), 0);
}

// A clock that goes on by a second whenever it is read.
struct Seconds {
  absl::Time now = absl::UnixEpoch();
  absl::Time operator()() { return now += absl::Seconds(1); }
};

TEST(CallWindow, GivesUpOnceForAllCalls) {
  for (const int in_flight : {1, 2, 64}) {
    SCOPED_TRACE(in_flight);
    Peer peer;
    Seconds seconds;
    CallWindow::Options options = kQuick;
    options.in_flight = in_flight;
    options.give_up_after = absl::Minutes(10);
    options.now = std::ref(seconds);
    CallWindow window(options);
    const std::vector<absl::Status> down(10'000, absl::UnavailableError("down"));
    int failed = 0;
    for (int i = 0; i < 5; ++i) {
      window.Call(peer.AnswerWith(down), [&failed](const absl::Status& status) {
        EXPECT_EQ(status, absl::UnavailableError("down"));
        ++failed;
      });
    }
    window.Drain();
    EXPECT_EQ(failed, 5);
    EXPECT_GE(seconds.now, absl::UnixEpoch() + absl::Minutes(10));
    EXPECT_LT(seconds.now, absl::UnixEpoch() + absl::Minutes(11)) << "and not ten minutes a call";
  }
}

TEST(CallWindow, CountsItsPatienceFromTheLastAnswer) {
  Peer peer;
  Seconds seconds;
  CallWindow::Options options = kQuick;
  options.give_up_after = absl::Seconds(100);
  options.now = std::ref(seconds);
  CallWindow window(options);
  int finished = 0;
  const auto succeed = [&finished](const absl::Status& status) {
    EXPECT_EQ(status, absl::OkStatus());
    ++finished;
  };
  // Each is answered in time, all of them together are not.
  const std::vector<absl::Status> slow(5, absl::UnavailableError(""));
  for (int i = 0; i < 20; ++i) window.Call(peer.AnswerWith(slow), succeed);
  window.Drain();
  EXPECT_EQ(finished, 20);
  EXPECT_GT(seconds.now, absl::UnixEpoch() + absl::Seconds(200));
}

TEST(CallWindow, IsPatientAgainAfterAnAnswer) {
  Peer peer;
  Seconds seconds;
  CallWindow::Options options = kQuick;
  options.give_up_after = absl::Seconds(100);
  options.now = std::ref(seconds);
  CallWindow window(options);
  std::vector<absl::Status> outcomes;
  const auto keep = [&outcomes](const absl::Status& status) { outcomes.push_back(status); };
  const absl::Status down = absl::UnavailableError("down");
  window.Call(peer.AnswerWith(std::vector<absl::Status>(1000, down)), keep);
  window.Drain();
  window.Call(peer.AnswerWith({down}), keep);  // one attempt
  window.Drain();
  window.Call(peer.AnswerWith({}), keep);
  window.Drain();
  window.Call(peer.AnswerWith({down}), keep);
  window.Drain();
  EXPECT_THAT(outcomes, ElementsAre(down, down, absl::OkStatus(), absl::OkStatus()));
}

TEST(CallWindow, TellsHowLongItHasBeenWithoutAnAnswer) {
  Peer peer;
  Seconds seconds;
  std::vector<absl::Duration> told;
  CallWindow::Options options = kQuick;
  options.give_up_after = absl::Seconds(100);
  options.now = std::ref(seconds);
  options.on_wait = [&told](absl::Duration quiet) { told.push_back(quiet); };
  CallWindow window(options);
  window.Call(peer.AnswerWith(std::vector<absl::Status>(1000, absl::UnavailableError(""))), [](const absl::Status&) {});
  window.Drain();
  ASSERT_GT(told.size(), 10u);
  EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
  EXPECT_LE(told.front(), absl::Seconds(5));
  EXPECT_GE(told.back(), absl::Seconds(95));
}

TEST(CallWindow, HoldsBackWhatIsBeyondTheWindow) {
  Peer peer;
  CallWindow window(kQuick);
  int finished = 0;
  const auto count = [&finished](const absl::Status&) { ++finished; };
  window.Call(peer.Hold(), count);
  window.Call(peer.Hold(), count);
  EXPECT_EQ(peer.held(), 2u);
  peer.AnswerOldest(absl::OkStatus());
  window.Call(peer.Hold(), count);  // would wait for ever if the first had not been answered
  EXPECT_EQ(finished, 1);
  EXPECT_EQ(peer.held(), 2u);
  peer.AnswerOldest(absl::OkStatus());
  peer.AnswerOldest(absl::OkStatus());
  window.Drain();
  EXPECT_EQ(finished, 3);
}

TEST(CallWindow, LetsAFinishSendTheNextOfAChain) {
  constexpr int kChain = 100'000;  // deep enough to overrun a stack that would grow with it
  Peer peer;
  CallWindow::Options options = kQuick;
  options.in_flight = 1;
  CallWindow window(options);
  int finished = 0;
  std::function<void()> send_next = [&] {
    window.Call(peer.AnswerWith({}), [&](const absl::Status&) {
      if (++finished < kChain) send_next();
    });
  };
  send_next();
  window.Drain();
  EXPECT_EQ(finished, kChain);
}

}  // namespace
}  // namespace everfold
