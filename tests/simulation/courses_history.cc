#include "tests/simulation/courses_history.h"

#include <gtest/gtest.h>

#include "sample-apps/courses/courses.h"

namespace everfold {
namespace {

using courses::v1::EnrolmentDecider;

template <class E>
bool Is(const RecordedEvent& event, E& message) {
  if (event.event.type != E::descriptor()->full_name()) return false;
  EXPECT_TRUE(message.ParseFromString(std::string(event.event.payload)));
  return true;
}

bool IsAmong(const std::map<Sequence, std::set<std::string>>& by_commit, Sequence sequence, const std::string& name) {
  const auto after = by_commit.upper_bound(sequence);
  return after != by_commit.begin() && std::prev(after)->second.contains(name);
}

}  // namespace

void CoursesHistory::Add(const RecordedEvent& event) {
  if (event.commit.sequence != at_) EndCommit();
  at_ = event.commit.sequence;
  if (!event.commit.command.empty()) requests_[event.commit.command.id].insert(at_);
  courses::v1::CourseOffered offered;
  courses::v1::SeatsChanged changed;
  courses::v1::StudentEnrolled enrolled;
  courses::v1::StudentLeft left;
  courses::v1::StudentRegistered registered;
  if (Is(event, offered)) {
    EXPECT_TRUE(seats_.emplace(offered.course_id(), offered.seats()).second)
        << offered.course_id() << " is there twice";
  } else if (Is(event, changed)) {
    seats_[changed.course_id()] = changed.seats();
  } else if (Is(event, enrolled)) {
    EXPECT_TRUE(students_[enrolled.course_id()].insert(enrolled.student_id()).second) << "enrolled twice";
    courses_[enrolled.student_id()].insert(enrolled.course_id());
  } else if (Is(event, left)) {
    EXPECT_EQ(students_[left.course_id()].erase(left.student_id()), 1u) << "left, and was not there";
    courses_[left.student_id()].erase(left.course_id());
  } else if (Is(event, registered)) {
    EXPECT_TRUE(emails_.insert(registered.email()).second) << registered.email() << " has two owners";
    EXPECT_TRUE(registered_.insert(registered.student_id()).second) << registered.student_id() << " registered twice";
  }
}

// Rules hold after a commit; in the middle of one a student may have left no course yet.
void CoursesHistory::EndCommit() {
  for (const auto& [course, students] : students_) {
    EXPECT_LE(static_cast<int>(students.size()), seats_[course]) << course << " after commit " << at_.value();
    if (static_cast<int>(students.size()) >= seats_[course]) full_[at_].insert(course);
  }
  for (const auto& [student, courses] : courses_) {
    EXPECT_LE(courses.size(), EnrolmentDecider::kMostCourses + 0u) << student << " after commit " << at_.value();
    if (courses.size() == EnrolmentDecider::kMostCourses + 0u) busy_[at_].insert(student);
  }
  full_.try_emplace(at_);
  busy_.try_emplace(at_);
}

void CoursesHistory::Check(const ToldRejection& told) const {
  bool was_so = false;
  for (Sequence sequence = told.first; sequence <= told.last && !was_so; sequence = sequence.Next()) {
    was_so = told.course.empty() ? IsAmong(busy_, sequence, told.student) : IsAmong(full_, sequence, told.course);
  }
  EXPECT_TRUE(was_so) << "told that " << told.course << told.student << " is full, which was at none of the commits "
                      << told.first.value() << " to " << told.last.value();
}

Sequence CoursesHistory::CommitOf(const std::string& request_id) const {
  const auto found = requests_.find(request_id);
  if (found == requests_.end()) return Sequence();
  EXPECT_EQ(found->second.size(), 1u) << request_id << " was done twice";
  return *found->second.begin();
}

}  // namespace everfold
