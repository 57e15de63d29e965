// Arithmetic of everfold.v1.Money: a sum is right, or it is an error.
//
//   EVERFOLD_ASSIGN_OR_RETURN(const Money total, Plus(price, freight));
//
// In a decider's Evolve, which has no way to refuse, `Plus(a, b).value()` throws where the sum is an error; the command
// is then answered INTERNAL, and its events are not stored.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "everfold/v1/money.pb.h"

namespace everfold {

using v1::Money;

Money MakeMoney(std::string currency, std::int64_t minor);

// INVALID_ARGUMENT (CURRENCY_MISMATCH) for two currencies, OUT_OF_RANGE (MONEY_OVERFLOW) beyond 64 bits. The empty
// amount, without currency and 0, goes with every currency, so that a sum can begin with it.
absl::StatusOr<Money> Plus(const Money& a, const Money& b);
absl::StatusOr<Money> Minus(const Money& a, const Money& b);
absl::StatusOr<Money> Times(const Money& amount, std::int64_t count);

}  // namespace everfold
