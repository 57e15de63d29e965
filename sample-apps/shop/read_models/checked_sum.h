// Sums in the columns of read models.
#pragma once

#include <cstdint>

#include "everfold/event/money.h"

namespace shop::v1 {

// A column and an amount together. Throws beyond 64 bits, which stops the projection: better no row than a wrong one.
// REQUIRES: the column is in the amount's currency.
inline std::int64_t CheckedSum(std::int64_t column_minor, const everfold::Money& amount) {
  return everfold::Plus(everfold::MakeMoney(amount.currency(), column_minor), amount).value().minor();
}

}  // namespace shop::v1
