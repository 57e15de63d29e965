// Whether a decider has a function, with exactly the types that it must have: one that would only match through a
// conversion is not taken. Generated code asks, and names the line to paste where the answer is no.
#pragma once

#include "everfold/decide/boundary_decision.h"
#include "everfold/decide/boundary_query.h"
#include "everfold/decide/context.h"
#include "everfold/decide/decision.h"

namespace everfold::internal {

template <class D, class State, class Command>
concept HasDecide = requires {
  static_cast<Decision<State> (*)(const State&, const Command&, Context&)>(&D::Decide);
};

template <class D, class State, class Event>
concept HasEvolve = requires {
  static_cast<void (*)(State&, const Event&)>(&D::Evolve);
};

template <class D, class Boundary, class State, class Command>
concept HasBoundaryDecide = requires {
  static_cast<BoundaryDecision<Boundary> (*)(const State&, const Command&, Context&)>(&D::Decide);
};

template <class Query>
inline constexpr bool kIsBoundaryQuery = false;
template <class... E>
inline constexpr bool kIsBoundaryQuery<BoundaryQuery<E...>> = true;

// Its result is what it likes, as long as it is a query; `auto` where it stands in the class.
template <class D, class Command>
concept HasQuery = requires(const Command& command) {
  requires kIsBoundaryQuery<decltype(D::Query(command))>;
};

template <class D, class Old, class New>
concept HasUpcast = requires {
  static_cast<New (*)(const Old&)>(&D::Upcast);
};

}  // namespace everfold::internal
