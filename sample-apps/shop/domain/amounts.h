// What an amount of money can be in this shop.
#pragma once

#include <cstdint>

#include "everfold/event/money.h"

namespace shop::v1 {

// Ten billion in whole units: more than any sale, and nine million such amounts still add up in 64 bits.
inline constexpr std::int64_t kMostMinor = 1'000'000'000'000;

// That it is in some currency, its field rule has seen to.
inline bool IsAmount(const everfold::Money& amount, std::int64_t least_minor) {
  return amount.minor() >= least_minor && amount.minor() <= kMostMinor;
}

}  // namespace shop::v1
