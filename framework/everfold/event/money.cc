#include "everfold/event/money.h"

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"

namespace everfold {
namespace {

absl::Status Overflow(const char* what, const Money& a, std::int64_t b) {
  return Error(absl::StatusCode::kOutOfRange, reason::kMoneyOverflow,
               absl::StrFormat("%s of %s %d and %d minor units is beyond 64 bits", what, a.currency(), a.minor(), b));
}

bool IsNothing(const Money& amount) { return amount.currency().empty() && amount.minor() == 0; }

// The currency that two amounts have in common.
absl::StatusOr<std::string> CommonCurrency(const Money& a, const Money& b) {
  if (IsNothing(a)) return b.currency();
  if (IsNothing(b) || a.currency() == b.currency()) return a.currency();
  return Error(absl::StatusCode::kInvalidArgument, reason::kCurrencyMismatch,
               absl::StrFormat("amounts in %s and %s do not add up", a.currency(), b.currency()),
               {{"first", a.currency()}, {"second", b.currency()}});
}

}  // namespace

Money MakeMoney(std::string currency, std::int64_t minor) {
  Money money;
  money.set_currency(std::move(currency));
  money.set_minor(minor);
  return money;
}

absl::StatusOr<Money> Plus(const Money& a, const Money& b) {
  EVERFOLD_ASSIGN_OR_RETURN(std::string currency, CommonCurrency(a, b));
  std::int64_t minor = 0;
  if (__builtin_add_overflow(a.minor(), b.minor(), &minor)) return Overflow("the sum", a, b.minor());
  return MakeMoney(std::move(currency), minor);
}

absl::StatusOr<Money> Minus(const Money& a, const Money& b) {
  EVERFOLD_ASSIGN_OR_RETURN(std::string currency, CommonCurrency(a, b));
  std::int64_t minor = 0;
  if (__builtin_sub_overflow(a.minor(), b.minor(), &minor)) return Overflow("the difference", a, b.minor());
  return MakeMoney(std::move(currency), minor);
}

absl::StatusOr<Money> Times(const Money& amount, std::int64_t count) {
  std::int64_t minor = 0;
  if (__builtin_mul_overflow(amount.minor(), count, &minor)) return Overflow("the product", amount, count);
  return MakeMoney(amount.currency(), minor);
}

}  // namespace everfold
