// Tests of deciders of consistency boundaries, without a store:
//
//   Given<EnrolmentDecider>(MakeCourseOffered({.course_id = "c1", .seats = 1}),
//                           MakeStudentEnrolled({.course_id = "c1", .student_id = "anna"}))
//       .When(MakeEnrolStudent({.student_id = "ben", .course_id = "c1"}))
//       .ThenRejected(MakeCourseIsFull({.seats = 1}));
//
//   Given<EnrolmentDecider>(MakeCourseOffered({.course_id = "c1", .seats = 1}))
//       .When(MakeEnrolStudent({.student_id = "ben", .course_id = "c1"}))
//       .Then(To("c1", MakeStudentEnrolled({.course_id = "c1", .student_id = "ben"})));
//
// The events are given in the order in which they happened, whatever their streams. The decider sees those that its
// Query meets, by type and by tags, as in an application: a query that asks for too little makes the test fail.
//
// Otherwise as testing/given.h says, which includes this file.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "everfold/decide/boundary_type.h"
#include "everfold/testing/decided_text.h"
#include "google/protobuf/message.h"

namespace everfold::testing {

// A decision of a boundary, and everything it is compared with. Threading: one thread.
class BoundaryDecided {
 public:
  explicit BoundaryDecided(DecidedText text) : text_(std::move(text)) {}

  // Exactly these events to these streams, in this order: To("c1", MakeStudentEnrolled({...})).
  template <class... A>
  const BoundaryDecided& Then(A... addressed) const {
    static_assert(sizeof...(A) > 0, "to expect no event, write ThenNothing()");
    static_assert((everfold::internal::kIsAddressed<A> && ...), "Then: write To(id, event), as Decide does");
    std::vector<AddressedEvent> expected;
    (everfold::internal::AddAllOf(expected, addressed), ...);
    ExpectEvents(expected);
    return *this;
  }
  // Accepted, with nothing to record.
  const BoundaryDecided& ThenNothing() const;
  const BoundaryDecided& ThenRejected(const google::protobuf::Message& rejection) const;
  // This field breaks this rule, for example ("seats", "int32.gt"); it may not be the only one.
  const BoundaryDecided& ThenInvalid(const std::string& field, const std::string& rule) const;

 private:
  void ExpectEvents(const std::vector<AddressedEvent>& events) const;

  DecidedText text_;
};

// What has happened, as far as it was given.
class Facts {
 public:
  explicit Facts(BoundaryType type);

  void Add(const google::protobuf::Message& event, std::vector<std::string> tags);
  void SetTime(absl::Time now) { now_ = now; }
  BoundaryDecided Decide(const google::protobuf::Message& command) const;

 private:
  struct Fact {
    std::string type;
    std::string payload;
    std::vector<std::string> tags;
  };

  DecidedText::Outcome OutcomeOf(const google::protobuf::Message& command) const;

  BoundaryType type_;
  std::vector<Fact> facts_;
  absl::Time now_;
};

template <class Decider>
class GivenFacts {
 public:
  template <class... E>
  explicit GivenFacts(const E&... events) : facts_(MakeBoundaryType<Decider>()) {
    (Add(events), ...);
  }
  GivenFacts& At(absl::Time now) & {
    facts_.SetTime(now);
    return *this;
  }
  GivenFacts&& At(absl::Time now) && {
    facts_.SetTime(now);
    return std::move(*this);
  }
  template <class C>
  BoundaryDecided When(const C& command) const {
    static_assert(kIsIn<C, typename BoundaryOf<typename Decider::Boundary>::Commands>,
                  "When: this is no command of the boundary");
    return facts_.Decide(command);
  }

 private:
  template <class E>
  void Add(const E& event) {
    static_assert(
        requires { typename EventTraits<E>::Tags; }, "Given: this message is not an event");
    std::vector<std::string> tags;
    EventTraits<E>::AddTags(event, tags);
    facts_.Add(event, std::move(tags));
  }

  Facts facts_;
};

}  // namespace everfold::testing
