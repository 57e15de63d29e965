// What Decide answers: events, a rejection, or nothing.
//
//   return Emit(MakeWithdrawn({.amount_minor = c.amount_minor()}));
//   return Emit(MakeShipped({...}), MakeInvoiced({...}));   // one commit, in this order
//   return Emit(MakeGarageBuilt({...}), spots);              // spots: a std::vector<SpotAdded>, perhaps empty
//   return Reject(MakeInsufficientFunds({.missing_minor = missing}));
//   return Nothing();                                       // accepted, and nothing to record
#pragma once

#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "everfold/decide/traits.h"
#include "google/protobuf/message.h"

namespace everfold {

// An event that Decide emitted. The type's name is its message's.
using EmittedEvent = std::unique_ptr<google::protobuf::Message>;

// A business rule said no.
struct Rejection {
  std::unique_ptr<google::protobuf::Message> message;
  absl::StatusCode code = absl::StatusCode::kFailedPrecondition;  // how transports report it
  std::string subject = {};  // what it is about, "wallet/w1" or a boundary's name; the command side knows it
};

// A decision without its types: either events (perhaps none) or a rejection.
struct AnyDecision {
  std::vector<EmittedEvent> events;
  Rejection rejection;
  bool rejected() const { return rejection.message != nullptr; }
};

namespace internal {

// An event's type, given the event or a vector of them.
template <class E>
struct EmittedType {
  using type = E;
};
template <class E>
struct EmittedType<std::vector<E>> {
  using type = E;
};

template <class E>
void AddEvents(std::vector<EmittedEvent>& events, E& event) {
  events.push_back(std::make_unique<E>(std::move(event)));
}
template <class E>
void AddEvents(std::vector<EmittedEvent>& events, std::vector<E>& added) {
  for (E& event : added) AddEvents(events, event);
}

}  // namespace internal

template <class... E>
struct Emitted {
  std::tuple<E...> events;
};
template <class R>
struct Rejected {
  R message;
};
struct NothingToRecord {};

template <class... E>
Emitted<std::remove_cvref_t<E>...> Emit(E&&... events) {
  static_assert(sizeof...(E) > 0, "Emit needs an event; to record nothing, return Nothing()");
  return {{std::forward<E>(events)...}};
}
template <class R>
Rejected<std::remove_cvref_t<R>> Reject(R&& rejection) {
  return {std::forward<R>(rejection)};
}
inline NothingToRecord Nothing() { return {}; }

// A decision of the aggregate whose state is State: refuses events and rejections of others when it is compiled.
template <class State>
class [[nodiscard]] Decision {
 public:
  template <class... E>
  Decision(Emitted<E...> emitted) {  // NOLINT: implicit on purpose, `return Emit(...)`
    static_assert((!kIsIn<typename internal::EmittedType<E>::type, typename AggregateOf<State>::Superseded> && ...),
                  "Emit: this event is superseded; emit the one that it is upcast to");
    static_assert(((kIsIn<typename internal::EmittedType<E>::type, typename AggregateOf<State>::Events> ||
                    kIsIn<typename internal::EmittedType<E>::type, typename AggregateOf<State>::Superseded>)&&...),
                  "Emit: this message is not an event of the aggregate; mark it `option (everfold.v1.message).event`");
    std::apply([this](E&... event) { (internal::AddEvents(decision_.events, event), ...); }, emitted.events);
  }
  template <class R>
  Decision(Rejected<R> rejected) {  // NOLINT: implicit on purpose, `return Reject(...)`
    static_assert(kIsIn<R, typename AggregateOf<State>::Rejections>,
                  "Reject: this message is not a rejection of the aggregate; mark it "
                  "`option (everfold.v1.message).rejection`");
    decision_.rejection = {std::make_unique<R>(std::move(rejected.message)), RejectionTraits<R>::kCode};
  }
  Decision(NothingToRecord) {}  // NOLINT: implicit on purpose, `return Nothing()`

  AnyDecision Release() && { return std::move(decision_); }

 private:
  AnyDecision decision_;
};

}  // namespace everfold
