// What the decider of a consistency boundary answers: events, each to a stream; a rejection; or nothing.
//
//   return Emit(To(c.course_id(), MakeStudentEnrolled({...})));
//   return Emit(To(c.from(), MakeStudentLeft({...})), To(c.to(), MakeStudentEnrolled({...})));  // one commit
//   return Reject(MakeCourseFull({...}));
//   return Nothing();
//
// To names the id; the aggregate is the event's. A stream need not exist.
#pragma once

#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "everfold/decide/decision.h"
#include "everfold/decide/traits.h"

namespace everfold {

// An event that Decide emitted, and where to: the stream `<aggregate>/<id>`.
struct AddressedEvent {
  std::string aggregate;
  std::string id;
  EmittedEvent event;
};

// A decision without its types: either events (perhaps none) or a rejection.
struct AnyBoundaryDecision {
  std::vector<AddressedEvent> events = {};
  Rejection rejection = {};
  bool rejected() const { return rejection.message != nullptr; }
};

// Events, each one or a vector of one type, and the id of the stream that they are for.
template <class... E>
struct Addressed {
  std::string id;
  std::tuple<E...> events;
};

template <class... E>
Addressed<std::remove_cvref_t<E>...> To(std::string id, E&&... events) {
  static_assert(sizeof...(E) > 0, "To needs an event");
  return {std::move(id), {std::forward<E>(events)...}};
}

namespace internal {

template <class E>
constexpr bool CheckAddressedEvent() {
  static_assert(
      requires { typename EventTraits<E>::Aggregate; },
      "To: this message is not an event; mark it `option (everfold.v1.message).event`");
  static_assert(!kIsIn<E, typename AggregateOf<typename EventTraits<E>::Aggregate>::Superseded>,
                "To: this event is superseded; emit the one that it is upcast to");
  return true;
}

template <class E>
void AddAddressed(std::vector<AddressedEvent>& all, const std::string& id, E& event) {
  static_assert(CheckAddressedEvent<E>());
  all.push_back({AggregateOf<typename EventTraits<E>::Aggregate>::kName, id, std::make_unique<E>(std::move(event))});
}
template <class E>
void AddAddressed(std::vector<AddressedEvent>& all, const std::string& id, std::vector<E>& events) {
  for (E& event : events) AddAddressed(all, id, event);
}

template <class T>
inline constexpr bool kIsAddressed = false;
template <class... E>
inline constexpr bool kIsAddressed<Addressed<E...>> = true;
template <class... E>
inline constexpr bool kIsAddressed<std::vector<Addressed<E...>>> = true;

template <class... E>
void AddAllOf(std::vector<AddressedEvent>& all, Addressed<E...>& addressed) {
  std::apply([&](auto&... event) { (AddAddressed(all, addressed.id, event), ...); }, addressed.events);
}
template <class... E>
void AddAllOf(std::vector<AddressedEvent>& all, std::vector<Addressed<E...>>& several) {
  for (Addressed<E...>& addressed : several) AddAllOf(all, addressed);
}

}  // namespace internal

// A decision at the boundary whose message is Boundary: refuses rejections of others when it is compiled.
template <class Boundary>
class [[nodiscard]] BoundaryDecision {
 public:
  template <class... A>
  BoundaryDecision(Emitted<A...> emitted) {  // NOLINT: implicit on purpose, `return Emit(...)`
    static_assert((internal::kIsAddressed<A> && ...),
                  "Emit: say which stream the event is for: Emit(To(c.course_id(), MakeStudentEnrolled({...})))");
    std::apply([this](auto&... addressed) { (internal::AddAllOf(decision_.events, addressed), ...); }, emitted.events);
  }
  template <class R>
  BoundaryDecision(Rejected<R> rejected) {  // NOLINT: implicit on purpose, `return Reject(...)`
    static_assert(kIsIn<R, typename BoundaryOf<Boundary>::Rejections>,
                  "Reject: this message is not a rejection of the boundary; mark it "
                  "`option (everfold.v1.message).rejection = {boundary: \"...\"}`");
    decision_.rejection = {std::make_unique<R>(std::move(rejected.message)), RejectionTraits<R>::kCode};
  }
  BoundaryDecision(NothingToRecord) {}  // NOLINT: implicit on purpose, `return Nothing()`

  AnyBoundaryDecision Release() && { return std::move(decision_); }

 private:
  AnyBoundaryDecision decision_;
};

}  // namespace everfold
