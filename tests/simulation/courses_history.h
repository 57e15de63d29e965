// What courses and students came to, commit by commit, as the log says; and whether the rules were kept at every one.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "everfold/event/position.h"
#include "everfold/event/recorded_event.h"

namespace everfold {

// A caller was told that a course is full, or that a student has too many courses: so it was after one of the commits
// from `first` to `last`.
struct ToldRejection {
  std::string course;   // empty: it is about the student
  std::string student;  // empty: it is about the course
  Sequence first;
  Sequence last;
};

class CoursesHistory {
 public:
  // In the order of their sequences. Fails the test where an event contradicts those before it.
  void Add(const RecordedEvent& event);
  // After the last one.
  void End() { EndCommit(); }

  // Fails the test unless it was so.
  void Check(const ToldRejection& told) const;
  // The commit of that request; 0 if there is none. Fails the test if there are several.
  Sequence CommitOf(const std::string& request_id) const;

 private:
  void EndCommit();

  Sequence at_;
  std::map<std::string, int> seats_;
  std::map<std::string, std::set<std::string>> students_;  // by course
  std::map<std::string, std::set<std::string>> courses_;   // by student
  std::set<std::string> emails_;
  std::set<std::string> registered_;
  std::map<Sequence, std::set<std::string>> full_;  // courses, after each commit
  std::map<Sequence, std::set<std::string>> busy_;  // students with as many courses as they may have
  std::map<std::string, std::set<Sequence>> requests_;
};

}  // namespace everfold
