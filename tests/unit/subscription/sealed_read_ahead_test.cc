// Two threads read the embedded log's files, while it is appended to and sealed.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "everfold/base/clock.h"
#include "everfold/base/mutex.h"
#include "everfold/base/random.h"
#include "everfold/runtime/asio_executor.h"
#include "everfold/store/event_store.h"
#include "everfold/subscription/subscription.h"
#include "everfold/testing/scratch_directory.h"
#include "tests/unit/log/log_driver.h"
#include "tests/unit/subscription/store_of_tests.h"

namespace everfold {
namespace {

constexpr std::uint32_t kPartitions = 3;

class SealedReadAheadTest : public ::testing::Test {
 protected:
  ~SealedReadAheadTest() override {
    Notification closed;
    store_->Close([&closed] { closed.Notify(); });
    closed.WaitForNotification();
    CloseAndWait(*log_);
  }

  // Commits of 50 events, one after the other.
  void Append(int commits) {
    for (int i = 0; i < commits; ++i) {
      AppendRequest request;
      NewEvent event = EventOf("T");
      event.payload = std::string(100, 'p');
      request.streams = {{.stream = {"", "w", absl::StrCat(i % 17)}, .events = std::vector<NewEvent>(50, event)}};
      Notification done;
      store_->Append(std::move(request), [&done](const absl::StatusOr<AppendResult>& result) {
        EXPECT_TRUE(result.ok()) << result.status();
        done.Notify();
      });
      done.WaitForNotification();
    }
  }

  // What is pulled up to the head; `between` is called before each pull.
  std::vector<std::string> Read(
      Executor* read_ahead, absl::FunctionRef<void()> between = [] {}) {
    std::vector<std::string> names;
    const auto subscription = Subscription::Start(*store_, {}, {.read_ahead = read_ahead}).value();
    for (PullResult pulled; !pulled.caught_up;) {
      between();
      pulled = subscription
                   ->Pull(1'000,
                          [&names](const RecordedEvent& event) {
                            names.push_back(NameOf(event));
                            return absl::OkStatus();
                          })
                   .value();
    }
    return names;
  }

  testing::ScratchDirectory directory_;
  SystemClock clock_;
  SystemRandom random_;
  AsioExecutor executor_{2};
  std::unique_ptr<EmbeddedLog> log_ = OpenOrDie(directory_.path() + "/log", kPartitions);
  std::unique_ptr<EventStore> store_ = EventStore::Open({}, *log_, executor_, clock_, random_).value();
};

TEST_F(SealedReadAheadTest, HandsOutWhatOneThreadDoesWhileMoreIsAppendedAndSealed) {
  Append(600);
  ASSERT_TRUE(SealAndWait(*log_).ok());
  int left = 60;
  const std::vector<std::string> ahead = Read(&executor_, [&] {
    if (left-- <= 0) return;
    Append(3);
    EXPECT_TRUE(left % 20 != 0 || SealAndWait(*log_).ok());
  });
  const std::vector<std::string> alone = Read(nullptr);
  EXPECT_GE(alone.size(), 30'000u);
  EXPECT_EQ(ahead, alone);
}

}  // namespace
}  // namespace everfold
