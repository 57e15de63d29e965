// What commands to courses and students lead to: two aggregates, and two boundaries across their streams.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "courses/v1/courses.everfold.h"

namespace courses::v1 {

using everfold::AnyOf, everfold::BoundaryDecision, everfold::Context, everfold::Decision, everfold::Emit,
    everfold::EventsWith, everfold::Nothing, everfold::Reject, everfold::Tag, everfold::To;

struct CourseDecider {
  using Aggregate = Course;

  static Decision<Course> Decide(const Course&, const OfferCourse& c, Context&) {
    return Emit(MakeCourseOffered({.course_id = c.course_id(), .seats = c.seats()}));
  }
  static Decision<Course> Decide(const Course& s, const ChangeSeats& c, Context&) {
    if (c.seats() < s.taken()) return Reject(MakeSeatsAreTaken({.taken = s.taken()}));
    return Emit(MakeSeatsChanged({.course_id = c.course_id(), .seats = c.seats()}));
  }

  static void Evolve(Course& s, const CourseOffered& e) { s.set_seats(e.seats()); }
  static void Evolve(Course& s, const SeatsChanged& e) { s.set_seats(e.seats()); }
  static void Evolve(Course& s, const StudentEnrolled&) { s.set_taken(s.taken() + 1); }
  static void Evolve(Course& s, const StudentLeft&) { s.set_taken(s.taken() - 1); }
};

struct StudentDecider {
  using Aggregate = Student;

  static Decision<Student> Decide(const Student& s, const RenameStudent& c, Context&) {
    if (c.name() == s.name()) return Nothing();
    return Emit(MakeStudentRenamed({.name = c.name()}));
  }

  static void Evolve(Student& s, const StudentRegistered& e) { s.set_name(e.name()); }
  static void Evolve(Student& s, const StudentRenamed& e) { s.set_name(e.name()); }
};

// An e-mail address belongs to one student.
struct RegistrationDecider {
  using Boundary = Registration;

  static auto Query(const RegisterStudent& c) {
    return AnyOf(EventsWith<StudentRegistered>(Tag<"student_id">(c.student_id())),
                 EventsWith<StudentRegistered>(Tag<"email">(c.email())));
  }
  static BoundaryDecision<Registration> Decide(const Registration& s, const RegisterStudent& c, Context&) {
    if (Has(s.student_ids(), c.student_id())) return Reject(MakeStudentIsKnown({}));
    if (Has(s.emails(), c.email())) return Reject(MakeEmailIsTaken({.email = c.email()}));
    return Emit(To(c.student_id(),
                   MakeStudentRegistered({.student_id = c.student_id(), .email = c.email(), .name = c.name()})));
  }
  static void Evolve(Registration& s, const StudentRegistered& e) {
    s.add_student_ids(e.student_id());
    s.add_emails(e.email());
  }

 private:
  static bool Has(const google::protobuf::RepeatedPtrField<std::string>& texts, const std::string& text) {
    return std::find(texts.begin(), texts.end(), text) != texts.end();
  }
};

// A course has no more students than seats, and a student no more than three courses.
struct EnrolmentDecider {
  using Boundary = Enrolment;
  static constexpr int kMostCourses = 3;

  // Of the courses and the students that a command names everything is known; of others, what they share with these.
  struct State {
    std::map<std::string, int> seats;                       // by course
    std::map<std::string, std::set<std::string>> students;  // by course
    std::map<std::string, std::set<std::string>> courses;   // by student
  };

  static auto OfCourse(const std::string& course) {
    return EventsWith<CourseOffered, SeatsChanged, StudentEnrolled, StudentLeft>(Tag<"course_id">(course));
  }
  static auto OfStudent(const std::string& student) {
    return EventsWith<StudentEnrolled, StudentLeft>(Tag<"student_id">(student));
  }

  static auto Query(const EnrolStudent& c) { return AnyOf(OfCourse(c.course_id()), OfStudent(c.student_id())); }
  static auto Query(const SwapCourse& c) {
    return AnyOf(OfCourse(c.from_course_id()), OfCourse(c.to_course_id()), OfStudent(c.student_id()));
  }

  static BoundaryDecision<Enrolment> Decide(const State& s, const EnrolStudent& c, Context&) {
    if (!s.seats.contains(c.course_id())) return Reject(MakeNoSuchCourse({.course_id = c.course_id()}));
    if (IsIn(s.students, c.course_id(), c.student_id())) return Nothing();
    if (Count(s.courses, c.student_id()) == kMostCourses) return Reject(MakeTooManyCourses({.most = kMostCourses}));
    if (IsFull(s, c.course_id())) return Reject(MakeCourseIsFull({.seats = s.seats.at(c.course_id())}));
    return Emit(To(c.course_id(), MakeStudentEnrolled({.course_id = c.course_id(), .student_id = c.student_id()})));
  }
  static BoundaryDecision<Enrolment> Decide(const State& s, const SwapCourse& c, Context&) {
    const std::string& from = c.from_course_id();
    const std::string& to = c.to_course_id();
    if (!s.seats.contains(to)) return Reject(MakeNoSuchCourse({.course_id = to}));
    if (!IsIn(s.students, from, c.student_id())) return Reject(MakeNotInCourse({.course_id = from}));
    if (IsIn(s.students, to, c.student_id())) return Nothing();
    if (IsFull(s, to)) return Reject(MakeCourseIsFull({.seats = s.seats.at(to)}));
    return Emit(To(from, MakeStudentLeft({.course_id = from, .student_id = c.student_id()})),
                To(to, MakeStudentEnrolled({.course_id = to, .student_id = c.student_id()})));
  }

  static void Evolve(State& s, const CourseOffered& e) { s.seats[e.course_id()] = e.seats(); }
  static void Evolve(State& s, const SeatsChanged& e) { s.seats[e.course_id()] = e.seats(); }
  static void Evolve(State& s, const StudentEnrolled& e) {
    s.students[e.course_id()].insert(e.student_id());
    s.courses[e.student_id()].insert(e.course_id());
  }
  static void Evolve(State& s, const StudentLeft& e) {
    s.students[e.course_id()].erase(e.student_id());
    s.courses[e.student_id()].erase(e.course_id());
  }

 private:
  using Sets = std::map<std::string, std::set<std::string>>;

  static int Count(const Sets& sets, const std::string& key) {
    const auto found = sets.find(key);
    return found == sets.end() ? 0 : static_cast<int>(found->second.size());
  }
  static bool IsIn(const Sets& sets, const std::string& key, const std::string& item) {
    const auto found = sets.find(key);
    return found != sets.end() && found->second.contains(item);
  }
  static bool IsFull(const State& s, const std::string& course) {
    return Count(s.students, course) >= s.seats.at(course);
  }
};

}  // namespace courses::v1
