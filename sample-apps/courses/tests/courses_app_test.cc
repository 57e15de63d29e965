// The whole application: what callers are told, also of what a crash interrupts.
#include <set>

#include "courses.h"
#include "everfold/base/error.h"
#include "everfold/testing/test_app.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace courses::v1 {
namespace {

using everfold::CommandReceipt;
using everfold::Parts;
using everfold::RecordedEvent;
using everfold::Rejection;
using everfold::StreamVersion;
using everfold::Version;
using everfold::testing::TestApp;
using ::testing::ElementsAre;

Parts CourseParts() {
  return Parts()
      .Aggregate<CourseDecider>()
      .Aggregate<StudentDecider>()
      .Boundary<RegistrationDecider>()
      .Boundary<EnrolmentDecider>();
}
EnrolStudent Enrol(const std::string& student, const std::string& course) {
  return MakeEnrolStudent({.student_id = student, .course_id = course});
}
template <class R>
void ExpectRejected(const TestApp::Answer& answer) {
  ASSERT_TRUE(answer.ok()) << answer.status();
  ASSERT_TRUE(std::holds_alternative<Rejection>(*answer));
  EXPECT_NE(dynamic_cast<const R*>(std::get<Rejection>(*answer).message.get()), nullptr);
}
std::set<std::string> StudentsOf(TestApp& app, const std::string& course) {
  std::set<std::string> students;
  const absl::Status read =
      app.engine().store().ReadStream({"", "course", course}, {}, [&](const RecordedEvent& event) -> absl::Status {
        StudentEnrolled enrolled;
        if (event.event.type != "courses.v1.StudentEnrolled") return absl::OkStatus();
        EXPECT_TRUE(enrolled.ParseFromString(std::string(event.event.payload)));
        EXPECT_TRUE(students.insert(enrolled.student_id()).second) << enrolled.student_id() << " is there twice";
        return absl::OkStatus();
      });
  EXPECT_EQ(read, absl::OkStatus());
  return students;
}

TEST(CoursesApp, EnrolsUntilACourseIsFull) {
  TestApp app(CourseParts());
  app.Accepted(MakeOfferCourse({.course_id = "c1", .seats = 2}));
  const CommandReceipt first = app.Accepted(Enrol("anna", "c1"));
  EXPECT_EQ(first.stream.ToString(), "course/c1");
  EXPECT_EQ(first.version, Version(2));
  app.Accepted(Enrol("ben", "c1"));
  ExpectRejected<CourseIsFull>(app.Send(Enrol("cleo", "c1")));
  // The course's own decider counts them as well.
  ExpectRejected<SeatsAreTaken>(app.Send(MakeChangeSeats({.course_id = "c1", .seats = 1})));
  app.Accepted(MakeChangeSeats({.course_id = "c1", .seats = 3}));
  app.Accepted(Enrol("cleo", "c1"));
}

TEST(CoursesApp, SwapsInOneCommit) {
  TestApp app(CourseParts());
  app.Accepted(MakeOfferCourse({.course_id = "c1", .seats = 1}));
  app.Accepted(MakeOfferCourse({.course_id = "c2", .seats = 1}));
  app.Accepted(Enrol("anna", "c1"));
  const auto swap = MakeSwapCourse({.student_id = "anna", .from_course_id = "c1", .to_course_id = "c2"});
  const CommandReceipt swapped = app.Accepted(swap, {.request_id = "r1"});
  EXPECT_THAT(swapped.streams, ElementsAre(StreamVersion{{"", "course", "c1"}, Version(3)},
                                           StreamVersion{{"", "course", "c2"}, Version(2)}));
  app.Accepted(Enrol("ben", "c1"));
  // Decided afresh, it would be rejected: anna is not in the course any more.
  const CommandReceipt again = app.Accepted(swap, {.request_id = "r1"});
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.streams, swapped.streams);
  EXPECT_EQ(again.token, swapped.token);
}

TEST(CoursesApp, ARegistrationThatWasRejectedStaysSo) {
  TestApp app(CourseParts());
  app.Accepted(MakeRegisterStudent({.student_id = "anna", .email = "a@b.c", .name = "Anna"}), {.request_id = "r1"});
  const auto second = MakeRegisterStudent({.student_id = "ben", .email = "a@b.c", .name = "Ben"});
  ExpectRejected<EmailIsTaken>(app.Send(second, {.request_id = "r2"}));
  app.Crash();
  ASSERT_EQ(app.Open(), absl::OkStatus());
  ExpectRejected<EmailIsTaken>(app.Send(second, {.request_id = "r2"}));
  const TestApp::Answer without = app.Send(second);
  EXPECT_EQ(everfold::ReasonOf(without.status()), everfold::reason::kRequestInvalid);
}

// Whatever step a crash comes after: what was acknowledged is there, and who asks again gets one seat.
TEST(CoursesApp, ACrashAtAnyStepGivesNoSeatTwice) {
  for (int steps = 0; steps < 120; ++steps) {
    SCOPED_TRACE(steps);
    TestApp app(CourseParts(), {.seed = static_cast<std::uint64_t>(1 + steps)});
    app.Accepted(MakeOfferCourse({.course_id = "c1", .seats = 3}));
    const std::vector<std::string> students = {"anna", "ben", "cleo", "dora"};
    std::vector<TestApp::Pending> answers;
    for (const std::string& student : students) {
      answers.push_back(app.Start(Enrol(student, "c1"), {.request_id = "of " + student}));
    }
    for (int i = 0; i < steps && app.executor().RunOne(); ++i) continue;
    std::set<std::string> told;
    for (std::size_t i = 0; i < students.size(); ++i) {
      if (answers[i]->has_value() && (*answers[i])->ok() && std::holds_alternative<CommandReceipt>(***answers[i])) {
        told.insert(students[i]);
      }
    }
    app.Crash();
    ASSERT_EQ(app.Open(), absl::OkStatus());
    const std::set<std::string> kept = StudentsOf(app, "c1");
    for (const std::string& student : told) EXPECT_TRUE(kept.contains(student)) << student;
    for (const std::string& student : students) {
      const TestApp::Answer answer = app.Send(Enrol(student, "c1"), {.request_id = "of " + student});
      ASSERT_TRUE(answer.ok()) << answer.status();
      EXPECT_EQ(std::holds_alternative<CommandReceipt>(*answer), StudentsOf(app, "c1").contains(student));
    }
    EXPECT_EQ(StudentsOf(app, "c1").size(), 3u);
  }
}

}  // namespace
}  // namespace courses::v1
