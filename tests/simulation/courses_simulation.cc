#include "tests/simulation/courses_simulation.h"

#include <gtest/gtest.h>

#include "everfold/subscription/subscription.h"
#include "sample-apps/courses/courses.h"
#include "tests/simulation/random_faults.h"

namespace everfold {
namespace {

using testing::TestApp;
using testing::TestAppOptions;

constexpr int kActions = 150;
constexpr int kCourses = 4;

Parts CourseParts() {
  return Parts()
      .Aggregate<courses::v1::CourseDecider>()
      .Aggregate<courses::v1::StudentDecider>()
      .Boundary<courses::v1::RegistrationDecider>()
      .Boundary<courses::v1::EnrolmentDecider>();
}

std::string OneOf(RandomSource& random, const char* what, unsigned count) {
  return what + std::to_string(random.Below(count));
}

template <class C>
std::shared_ptr<const google::protobuf::Message> Kept(C command) {
  return std::make_shared<C>(std::move(command));
}

std::shared_ptr<const google::protobuf::Message> RandomCommand(RandomSource& random) {
  const std::string course = OneOf(random, "c", kCourses + 1);
  const std::string student = OneOf(random, "s", 6);
  const auto seats = static_cast<std::int32_t>(1 + random.Below(4));
  switch (random.Below(12)) {
    case 0:
      return Kept(courses::v1::MakeOfferCourse({.course_id = course, .seats = seats}));
    case 1:
    case 2:
      return Kept(courses::v1::MakeChangeSeats({.course_id = course, .seats = seats}));
    case 3:
      return Kept(
          courses::v1::MakeRegisterStudent({.student_id = student, .email = OneOf(random, "e@", 5), .name = "N"}));
    case 4:
    case 5:
    case 6:
      return Kept(courses::v1::MakeSwapCourse(
          {.student_id = student, .from_course_id = course, .to_course_id = OneOf(random, "c", kCourses + 1)}));
    default:
      return Kept(courses::v1::MakeEnrolStudent({.student_id = student, .course_id = course}));
  }
}

constexpr LogFaults kMostFaults = {.refused_per_mille = 200,
                                   .unknown_but_appended_per_mille = 60,
                                   .unknown_and_lost_per_mille = 60,
                                   .end_delayed_per_mille = 500};

}  // namespace

CoursesSimulation::CoursesSimulation(std::uint64_t seed) : random_(seed), faults_(RandomFaults(random_, kMostFaults)) {
  // GCC 12 takes a part of one on the stack for uninitialized where the constructor throws.
  const auto made = std::make_unique<TestAppOptions>();
  TestAppOptions& options = *made;
  options.seed = seed;
  options.partitions = static_cast<std::uint32_t>(1 + random_.Below(16));
  options.wrap_log = [this](PartitionLog& log, Executor& executor) -> std::unique_ptr<PartitionLog> {
    return std::make_unique<FaultyLog>(log, faults_, random_, executor);
  };
  options.engine.commands.max_cached_bytes = random_.Below(3) == 0 ? 0 : 64 << 20;
  options.engine.commands.max_decided_ahead_per_stream = 1 + random_.Below(20);
  app_ = std::make_unique<TestApp>(CourseParts(), std::move(options));
  Open();
}

CoursesSimulation::~CoursesSimulation() { Crash(); }

void CoursesSimulation::Open() {
  Parts parts = CourseParts();
  other_ = CommandHandler::Create({}, std::move(parts.aggregates), std::move(parts.boundaries), app_->engine().store(),
                                  app_->executor(), app_->executor().clock(), random_);
}

void CoursesSimulation::Crash() {
  decided_again_ += app_->engine().commands().stats().decided_again + other_->stats().decided_again;
  app_->executor().DropAll();
  other_.reset();
  app_->Crash();
}

void CoursesSimulation::Run() {
  for (int i = 0; i < kCourses; ++i) {
    Send(Kept(courses::v1::MakeOfferCourse({.course_id = "c" + std::to_string(i), .seats = 2})));
  }
  for (int i = 0; i < kActions && !::testing::Test::HasFailure(); ++i) Act();
  EndFaults();
  SendAllAgain();
  const CoursesHistory history = ReadHistory();
  for (const ToldRejection& told : told_) history.Check(told);
  for (const Sent& sent : sent_) {
    const Sequence made = history.CommitOf(sent.request_id);
    if (sent.sequence.has_value()) {
      EXPECT_EQ(made, *sent.sequence) << sent.request_id << " was acknowledged";
    }
    if (sent.rejection.has_value()) {
      EXPECT_EQ(made, Sequence()) << sent.request_id << " was rejected for good";
    }
  }
}

void CoursesSimulation::Act() {
  const std::uint64_t choice = random_.Below(100);
  if (choice < 40) {
    for (std::uint64_t burst = 1 + random_.Below(6); burst > 0; --burst) SendNew();
  } else if (choice < 65) {
    if (!sent_.empty()) StartAttempt(sent_[random_.Below(sent_.size())]);
  } else if (choice < 95) {
    for (std::uint64_t steps = random_.Below(40); steps > 0 && app_->executor().RunOne(); --steps) continue;
  } else if (choice < 97) {
    app_->Advance(absl::Milliseconds(random_.Below(200)));
  }
  CollectAnswers();
  // The log failed in the middle: the application ends, and is started again.
  if (choice >= 97 || !app_->engine().store().health().ok()) {
    attempts_.clear();
    Crash();
    ASSERT_EQ(app_->Open(), absl::OkStatus());
    Open();
  }
}

void CoursesSimulation::SendNew() { Send(RandomCommand(random_)); }

void CoursesSimulation::Send(std::shared_ptr<const google::protobuf::Message> command) {
  StartAttempt(
      sent_.emplace_back(Sent{.request_id = "r" + std::to_string(sent_.size()), .command = std::move(command)}));
}

// To one of the two.
void CoursesSimulation::StartAttempt(Sent& sent) {
  const Sequence sent_at = app_->engine().store().DurableSequence();
  if (random_.Below(2) == 0) {
    attempts_.push_back({&sent, app_->Start(*sent.command, {.request_id = sent.request_id}), sent_at});
    return;
  }
  CommandRequest request;
  request.command = sent.command.get();
  request.request_id = sent.request_id;
  auto answer = std::make_shared<std::optional<TestApp::Answer>>();
  other_->Handle(std::move(request), [answer](TestApp::Answer given) { *answer = std::move(given); });
  attempts_.push_back({&sent, answer, sent_at});
}

void CoursesSimulation::CollectAnswers() {
  std::erase_if(attempts_, [this](const Attempt& attempt) {
    if (!attempt.answer->has_value()) return false;
    Keep(attempt);
    return true;
  });
}

void CoursesSimulation::Keep(const Attempt& attempt) {
  const TestApp::Answer& answer = **attempt.answer;
  if (!answer.ok()) return;
  Sent& sent = *attempt.sent;
  if (const auto* receipt = std::get_if<CommandReceipt>(&*answer)) {
    EXPECT_FALSE(sent.rejection.has_value()) << sent.request_id << " was rejected for good, and accepted";
    if (receipt->sequence == Sequence()) return;
    if (sent.sequence.has_value()) {
      EXPECT_EQ(receipt->sequence, *sent.sequence) << sent.request_id;
    }
    sent.sequence = receipt->sequence;
    return;
  }
  const auto& message = *std::get<Rejection>(*answer).message;
  // Of two attempts on their way together one may be rejected before the other is accepted.
  EXPECT_FALSE(sent.sequence.has_value() && *sent.sequence <= attempt.sent_at)
      << sent.request_id << " was accepted, and rejected: " << message.ShortDebugString();
  const Sequence told_at = app_->engine().store().DurableSequence();
  if (sent.command->GetDescriptor()->name() == "RegisterStudent") {
    if (sent.rejection.has_value()) {
      EXPECT_EQ(message.ShortDebugString(), *sent.rejection);
    }
    sent.rejection = message.ShortDebugString();
  } else if (message.GetDescriptor()->name() == "CourseIsFull") {
    const auto* enrol = dynamic_cast<const courses::v1::EnrolStudent*>(sent.command.get());
    const auto* swap = dynamic_cast<const courses::v1::SwapCourse*>(sent.command.get());
    told_.push_back({enrol != nullptr ? enrol->course_id() : swap->to_course_id(), "", attempt.sent_at, told_at});
  } else if (message.GetDescriptor()->name() == "TooManyCourses") {
    const auto& enrol = dynamic_cast<const courses::v1::EnrolStudent&>(*sent.command);
    told_.push_back({"", enrol.student_id(), attempt.sent_at, told_at});
  }
}

void CoursesSimulation::EndFaults() {
  faults_ = {};
  attempts_.clear();
  Crash();
  ASSERT_EQ(app_->Open(), absl::OkStatus());
  Open();
}

// Every command gets a final answer.
void CoursesSimulation::SendAllAgain() {
  for (Sent& sent : sent_) {
    StartAttempt(sent);
    app_->Settle();
    ASSERT_TRUE(attempts_.back().answer->has_value()) << sent.request_id;
    CollectAnswers();
  }
}

CoursesHistory CoursesSimulation::ReadHistory() {
  CoursesHistory history;
  auto subscription = Subscription::Start(app_->engine().store(), {});
  EXPECT_TRUE(subscription.ok()) << subscription.status();
  const auto pulled = (*subscription)->Pull(1'000'000, [&history](const RecordedEvent& event) {
    history.Add(event);
    return absl::OkStatus();
  });
  EXPECT_TRUE(pulled.ok()) << pulled.status();
  history.End();
  return history;
}

}  // namespace everfold
