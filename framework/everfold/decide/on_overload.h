// Whether a class has an On for an event, in whatever form: one with mistyped parameters would never be called, and is
// to be a compile error instead of a silent skip.
#pragma once

#include "everfold/decide/types.h"

namespace everfold::internal {

// Stands for an argument of any type when On is probed.
struct AnyArgument {
  template <class T>
  operator T&() const;  // NOLINT
  template <class T>
  operator T&&() const;  // NOLINT
};

// On can be called with the event, in some way, with other parameters than the right ones: of another type, in another
// order, or on an object, because it is not static.
// clang-format off
template <class P, class E>
concept HasSomeOn = requires(P& p, E& e, AnyArgument any) { p.On(e); } ||
                    requires(P& p, E& e, AnyArgument any) { p.On(e, any); } ||
                    requires(P& p, E& e, AnyArgument any) { p.On(any, e); } ||
                    requires(P& p, E& e, AnyArgument any) { p.On(e, any, any); } ||
                    requires(P& p, E& e, AnyArgument any) { p.On(any, e, any); } ||
                    requires(P& p, E& e, AnyArgument any) { p.On(any, any, e); } ||
                    requires(P& p, E& e, AnyArgument any) { p.On(e, any, any, any); };
// clang-format on

// True if P has an On for one of the superseded events: it would never be called.
template <class P, class... Old>
constexpr bool HandlesSuperseded(Types<Old...>) {
  return (HasSomeOn<P, Old> || ...);
}

}  // namespace everfold::internal
