// The decider of a consistency boundary without its types, as the command side works with it: tables of functions, made
// from the decider and the generated lists of its commands and rejections.
//
//   struct EnrolmentDecider {
//     using Boundary = Enrolment;
//     struct State { ... };                                       // may be left out: the state is an Enrolment
//     static auto Query(const EnrolStudent& command);             // one for each command; a BoundaryQuery
//     static void Evolve(State& state, const CourseDefined& event);   // one for each event that a query names
//     static BoundaryDecision<Enrolment> Decide(const State& state, const EnrolStudent& command, Context& context);
//   };
//
// For each command the state is folded from the events that its query meets, in whatever streams they are, and what is
// decided is appended on the condition that no further one has come. An event is folded once, whichever part of the
// query it meets, so Evolve may meet events that another part has asked for. All functions are pure.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/decide/aggregate_type.h"
#include "everfold/decide/boundary_decision.h"
#include "everfold/decide/boundary_query.h"
#include "everfold/decide/checks.h"
#include "everfold/decide/context.h"
#include "everfold/decide/stored_form.h"
#include "everfold/decide/traits.h"
#include "everfold/event/event_query.h"
#include "google/protobuf/message.h"

namespace everfold {

// A state of any type.
using BoundaryState = std::shared_ptr<void>;

// REQUIRES, for all functions: message and state have the types that the entry is made for.
struct BoundaryCommandType {
  using Message = google::protobuf::Message;
  CommandType type;  // without id, mutable_id and decide
  EventQuery (*query)(const Message& command) = nullptr;
  AnyBoundaryDecision (*decide)(const void* state, const Message& command, Context& context) = nullptr;
};

// Threading: immutable once made.
struct BoundaryType {
  using Message = google::protobuf::Message;
  // Parses and evolves. False if the bytes are no such message.
  using EvolvePayload = bool (*)(void* state, std::string_view payload);

  std::string name;
  BoundaryState (*new_state)() = nullptr;
  absl::flat_hash_map<std::string, BoundaryCommandType> commands = {};  // by full message name
  absl::flat_hash_map<std::string, EvolvePayload> events = {};          // by full message name; what queries name
  absl::flat_hash_map<std::string, RejectionType> rejections = {};      // by full message name
  absl::flat_hash_map<std::string, StoredForm> stored_forms = {};  // of its events, by the name they are stored under

  // Its events may be stored in these forms.
  void AddStoredForms(const AggregateType& aggregate);

  // Query, Decide and Evolve, with whatever user code throws turned into INTERNAL (DECIDER_FAILED).
  absl::StatusOr<EventQuery> Query(const BoundaryCommandType& command, const Message& message) const;
  absl::StatusOr<AnyBoundaryDecision> Decide(const BoundaryCommandType& command, const void* state,
                                             const Message& message, Context& context) const;
  // A stored event, which is upcast first if it is a superseded one. FAILED_PRECONDITION (UNKNOWN_TYPE) if it is none
  // of its events, DATA_LOSS if the bytes do not parse.
  absl::Status EvolveStored(void* state, const std::string& type, std::string_view payload) const;
};

namespace internal {

template <class D>
struct BoundaryStateOf {
  using type = typename D::Boundary;
};
template <class D>
requires requires { typename D::State; }
struct BoundaryStateOf<D> {
  using type = typename D::State;
};

template <class D, class C>
using BoundaryQueryOf = decltype(D::Query(std::declval<const C&>()));

template <class D, class E>
bool EvolveBoundary(void* state, std::string_view payload) {
  using State = typename BoundaryStateOf<D>::type;
  static_assert(HasEvolve<D, State, E>,
                "a query of this decider names an event for which it has no "
                "`static void Evolve(State& state, const Event& event);` with these very types");
  thread_local E event;  // reused: twice as fast as a fresh one
  if (!event.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return false;
  D::Evolve(*static_cast<State*>(state), static_cast<const E&>(event));
  return true;
}

template <class D, class... E>
void AddBoundaryEvents(BoundaryType& type, const BoundaryQuery<E...>*) {
  (type.events.emplace(EventTraits<E>::kName, &EvolveBoundary<D, E>), ...);
}

template <class D, class C>
void AddBoundaryCommand(BoundaryType& type) {
  using Message = google::protobuf::Message;
  using State = typename BoundaryStateOf<D>::type;
  AddBoundaryEvents<D>(type, static_cast<const BoundaryQueryOf<D, C>*>(nullptr));
  type.commands.emplace(
      CommandTraits<C>::kName,
      BoundaryCommandType{
          .type = {.name = CommandTraits<C>::kName,
                   .prototype = &C::default_instance(),
                   .expect = Expect::kAny,
                   .needs_request_id = CommandTraits<C>::kNeedsRequestId,
                   .records_outcomes = CommandTraits<C>::kRecordsOutcomes,
                   .validate =
                       [](const Message& command, absl::Time now, Violations& violations) {
                         CommandTraits<C>::Validate(static_cast<const C&>(command), now, violations);
                       }},
          .query = [](const Message& command) { return D::Query(static_cast<const C&>(command)).Release(); },
          .decide =
              [](const void* state, const Message& command, Context& context) {
                BoundaryDecision<typename D::Boundary> decision =
                    D::Decide(*static_cast<const State*>(state), static_cast<const C&>(command), context);
                return std::move(decision).Release();
              }});
}

template <class D, class... C, class... R>
BoundaryType MakeBoundaryType(Types<C...>, Types<R...>) {
  using State = typename BoundaryStateOf<D>::type;
  BoundaryType type{.name = BoundaryOf<typename D::Boundary>::kName,
                    .new_state = []() -> BoundaryState { return std::make_shared<State>(); }};
  (AddBoundaryCommand<D, C>(type), ...);
  (type.rejections.emplace(RejectionTraits<R>::kName, RejectionType{&R::default_instance(), RejectionTraits<R>::kCode}),
   ...);
  return type;
}

}  // namespace internal

// Compiles only if D has a Query and a Decide for every command of its boundary, and an Evolve for every event that the
// queries name; each one that is missing is named with the line to paste.
template <class D>
BoundaryType MakeBoundaryType() {
  using Boundary = BoundaryOf<typename D::Boundary>;
  static_assert(Boundary::template Check<D>());
  return internal::MakeBoundaryType<D>(typename Boundary::Commands{}, typename Boundary::Rejections{});
}

}  // namespace everfold
