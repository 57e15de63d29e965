// Commands to boundaries from many threads, on an executor with many, through two handlers that do not know of each
// other: a seat is given once, whoever decides, and nothing is touched that has gone.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "everfold/base/mutex.h"
#include "everfold/command/command_handler.h"
#include "everfold/log/memory/memory_log.h"
#include "everfold/runtime/asio_executor.h"
#include "sample-apps/courses/courses.h"

namespace everfold {
namespace {

using courses::v1::Course;
using courses::v1::CourseDecider;
using courses::v1::EnrolmentDecider;
using courses::v1::MakeChangeSeats;
using courses::v1::MakeEnrolStudent;
using courses::v1::MakeOfferCourse;

constexpr int kThreads = 4;
constexpr int kCourses = 3;
constexpr int kSeats = 40;
constexpr int kCommandsAThread = 150;

class BoundaryConcurrencyTest : public ::testing::Test {
 protected:
  std::unique_ptr<CommandHandler> Open() {
    std::vector<AggregateType> aggregates;
    aggregates.push_back(MakeAggregateType<CourseDecider>());
    std::vector<BoundaryType> boundaries;
    boundaries.push_back(MakeBoundaryType<EnrolmentDecider>());
    return CommandHandler::Create({.max_conflict_retries = 10000}, std::move(aggregates), std::move(boundaries),
                                  *store_, executor_, clock_, random_);
  }
  // Everything of it goes as soon as it says so.
  static void CloseAndDestroy(std::unique_ptr<CommandHandler> handler) {
    Notification closed;
    handler->Close([&closed] { closed.Notify(); });
    closed.WaitForNotification();
  }
  void Send(CommandHandler& handler, const google::protobuf::Message& command, std::string request_id) {
    auto kept = std::shared_ptr<google::protobuf::Message>(command.New());
    kept->CopyFrom(command);
    CommandRequest request;
    request.command = kept.get();
    request.request_id = std::move(request_id);
    handler.Handle(std::move(request), [this, kept](const absl::StatusOr<CommandOutcome>& outcome) {
      EXPECT_TRUE(outcome.ok()) << outcome.status();
      if (!outcome.ok() || !std::holds_alternative<CommandReceipt>(*outcome)) return;
      const auto& receipt = std::get<CommandReceipt>(*outcome);
      if (!receipt.repeated && kept->GetDescriptor()->name() == "EnrolStudent") enrolled_ += 1;
    });
  }
  // Each command comes twice under one id, to whichever handler; seats are changed meanwhile.
  void SendAll(int thread, CommandHandler& one, CommandHandler& other) {
    for (int i = 0; i < kCommandsAThread; ++i) {
      const std::string course = "c" + std::to_string(i % kCourses);
      const std::string id = std::to_string(thread) + "-" + std::to_string(i);
      const auto enrol = MakeEnrolStudent({.student_id = "s" + id, .course_id = course});
      Send(i % 2 == 0 ? one : other, enrol, id);
      Send(i % 3 == 0 ? one : other, enrol, id);
      if (i % 25 == 0) Send(one, MakeChangeSeats({.course_id = course, .seats = kSeats}), "");
    }
  }
  int TakenIn(CommandHandler& handler, const std::string& course) {
    Notification answered;
    int taken = 0;
    handler.GetState({.stream = {"", "course", course}}, [&](const absl::StatusOr<StateAnswer>& answer) {
      taken = dynamic_cast<const Course&>(*answer->state).taken();
      answered.Notify();
    });
    answered.WaitForNotification();
    return taken;
  }

  SystemClock clock_;
  SystemRandom random_;
  AsioExecutor executor_{4};
  std::shared_ptr<MemoryLogStorage> storage_ =
      std::make_shared<MemoryLogStorage>(LogIdentity{{"0123456789abcdef"}, 4, std::string(32, 'k')});
  MemoryLog log_{storage_, executor_};
  std::unique_ptr<EventStore> store_ = EventStore::Open({}, log_, executor_, clock_, random_).value();
  std::atomic<int> enrolled_ = 0;
};

TEST_F(BoundaryConcurrencyTest, EverySeatIsGivenOnceAndNoneIsLeft) {
  std::unique_ptr<CommandHandler> one = Open();
  for (int i = 0; i < kCourses; ++i) {
    Send(*one, MakeOfferCourse({.course_id = "c" + std::to_string(i), .seats = kSeats}), "");
  }
  CloseAndDestroy(std::move(one));  // waits for them
  one = Open();
  std::unique_ptr<CommandHandler> other = Open();
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([this, thread, &one, &other] { SendAll(thread, *one, *other); });
    }
  }
  CloseAndDestroy(std::move(one));
  CloseAndDestroy(std::move(other));
  EXPECT_EQ(enrolled_, kCourses * kSeats);
  one = Open();
  for (int i = 0; i < kCourses; ++i) EXPECT_EQ(TakenIn(*one, "c" + std::to_string(i)), kSeats);
  CloseAndDestroy(std::move(one));
  Notification closed;
  store_->Close([&closed] { closed.Notify(); });
  closed.WaitForNotification();
  executor_.Join();
}

}  // namespace
}  // namespace everfold
