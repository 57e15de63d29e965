#include "courses.h"

#include "everfold/testing/given.h"
#include "gtest/gtest.h"

namespace courses::v1 {
namespace {

using everfold::testing::Given;

CourseOffered Offered(const std::string& course, int seats) {
  return MakeCourseOffered({.course_id = course, .seats = seats});
}
StudentEnrolled Enrolled(const std::string& student, const std::string& course) {
  return MakeStudentEnrolled({.course_id = course, .student_id = student});
}
StudentLeft Left(const std::string& student, const std::string& course) {
  return MakeStudentLeft({.course_id = course, .student_id = student});
}
EnrolStudent Enrol(const std::string& student, const std::string& course) {
  return MakeEnrolStudent({.student_id = student, .course_id = course});
}
SwapCourse Swap(const std::string& student, const std::string& from, const std::string& to) {
  return MakeSwapCourse({.student_id = student, .from_course_id = from, .to_course_id = to});
}

TEST(Course, HasAtLeastTheSeatsThatAreTaken) {
  Given<CourseDecider>(Offered("c1", 2), Enrolled("anna", "c1"), Enrolled("ben", "c1"), Left("anna", "c1"))
      .When(MakeChangeSeats({.course_id = "c1", .seats = 1}))
      .Then(MakeSeatsChanged({.course_id = "c1", .seats = 1}));
  Given<CourseDecider>(Offered("c1", 2), Enrolled("anna", "c1"), Enrolled("ben", "c1"))
      .When(MakeChangeSeats({.course_id = "c1", .seats = 1}))
      .ThenRejected(MakeSeatsAreTaken({.taken = 2}));
}

TEST(Enrolment, GivesTheLastSeat) {
  Given<EnrolmentDecider>(Offered("c1", 2), Enrolled("anna", "c1"))
      .When(Enrol("ben", "c1"))
      .Then(To("c1", Enrolled("ben", "c1")));
}

TEST(Enrolment, RefusesMoreStudentsThanSeats) {
  Given<EnrolmentDecider>(Offered("c1", 1), Enrolled("anna", "c1"))
      .When(Enrol("ben", "c1"))
      .ThenRejected(MakeCourseIsFull({.seats = 1}));
}

TEST(Enrolment, RefusesAFourthCourse) {
  Given<EnrolmentDecider>(Offered("c1", 9), Enrolled("anna", "a"), Enrolled("anna", "b"), Enrolled("anna", "c"))
      .When(Enrol("anna", "c1"))
      .ThenRejected(MakeTooManyCourses({.most = 3}));
  Given<EnrolmentDecider>(Offered("c1", 9), Enrolled("anna", "a"), Enrolled("anna", "b"), Enrolled("anna", "c"),
                          Left("anna", "b"))
      .When(Enrol("anna", "c1"))
      .Then(To("c1", Enrolled("anna", "c1")));
}

TEST(Enrolment, OfWhoIsInTheCourseChangesNothing) {
  Given<EnrolmentDecider>(Offered("c1", 1), Enrolled("anna", "c1")).When(Enrol("anna", "c1")).ThenNothing();
}

TEST(Enrolment, NeedsACourse) {
  Given<EnrolmentDecider>(Offered("c2", 1))
      .When(Enrol("anna", "c1"))
      .ThenRejected(MakeNoSuchCourse({.course_id = "c1"}));
  Given<EnrolmentDecider>(Offered("c1", 1)).When(Enrol("anna", "")).ThenInvalid("course_id", "string.min_len");
}

TEST(Enrolment, SwapsBothOrNothing) {
  Given<EnrolmentDecider>(Offered("c1", 1), Offered("c2", 1), Enrolled("anna", "c1"))
      .When(Swap("anna", "c1", "c2"))
      .Then(To("c1", Left("anna", "c1")), To("c2", Enrolled("anna", "c2")));
  Given<EnrolmentDecider>(Offered("c1", 1), Offered("c2", 1), Enrolled("anna", "c1"), Enrolled("ben", "c2"))
      .When(Swap("anna", "c1", "c2"))
      .ThenRejected(MakeCourseIsFull({.seats = 1}));
  Given<EnrolmentDecider>(Offered("c1", 1), Offered("c2", 1))
      .When(Swap("anna", "c1", "c2"))
      .ThenRejected(MakeNotInCourse({.course_id = "c1"}));
}

TEST(Registration, IsOncePerEmailAndStudent) {
  const auto anna = MakeStudentRegistered({.student_id = "anna", .email = "anna@example.org", .name = "Anna"});
  Given<RegistrationDecider>()
      .When(MakeRegisterStudent({.student_id = "anna", .email = "anna@example.org", .name = "Anna"}))
      .Then(To("anna", anna));
  Given<RegistrationDecider>(anna)
      .When(MakeRegisterStudent({.student_id = "ben", .email = "anna@example.org", .name = "Ben"}))
      .ThenRejected(MakeEmailIsTaken({.email = "anna@example.org"}));
  Given<RegistrationDecider>(anna)
      .When(MakeRegisterStudent({.student_id = "anna", .email = "a@example.org", .name = "Anna"}))
      .ThenRejected(MakeStudentIsKnown({}));
}

}  // namespace
}  // namespace courses::v1
