// Lists of message types, as generated code spells them.
#pragma once

#include <concepts>

namespace everfold {

template <class... M>
struct Types {};

template <class M, class List>
inline constexpr bool kIsIn = false;
template <class M, class... L>
inline constexpr bool kIsIn<M, Types<L...>> = (std::same_as<M, L> || ...);

// Concat<Types<A, B>, Types<C>> is Types<A, B, C>.
template <class... Lists>
struct ConcatTypes {
  using type = Types<>;
};
template <class... A>
struct ConcatTypes<Types<A...>> {
  using type = Types<A...>;
};
template <class... A, class... B, class... Rest>
struct ConcatTypes<Types<A...>, Types<B...>, Rest...> : ConcatTypes<Types<A..., B...>, Rest...> {};
template <class... Lists>
using Concat = typename ConcatTypes<Lists...>::type;

}  // namespace everfold
