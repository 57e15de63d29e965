#include "everfold/event/money.h"

#include <limits>

#include "everfold/base/error.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

Money Brl(std::int64_t minor) { return MakeMoney("BRL", minor); }

void ExpectMoney(const absl::StatusOr<Money>& money, const std::string& currency, std::int64_t minor) {
  ASSERT_TRUE(money.ok()) << money.status();
  EXPECT_EQ(money->currency(), currency);
  EXPECT_EQ(money->minor(), minor);
}

void ExpectOverflow(const absl::Status& status, const std::string& message) {
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(ReasonOf(status), "MONEY_OVERFLOW");
  EXPECT_EQ(status.message(), message);
}

void ExpectMismatch(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(status), "CURRENCY_MISMATCH");
  EXPECT_EQ(status.message(), "amounts in BRL and EUR do not add up");
}

TEST(Money, AddsAndSubtracts) {
  ExpectMoney(Plus(Brl(10990), Brl(2551)), "BRL", 13541);
  ExpectMoney(Minus(Brl(10990), Brl(2551)), "BRL", 8439);
  ExpectMoney(Minus(Brl(1), Brl(2)), "BRL", -1);
  ExpectMoney(Times(Brl(250), 3), "BRL", 750);
  ExpectMoney(Times(Brl(250), -1), "BRL", -250);
}

TEST(Money, AddsUpToTheLastUnitThatFits) {
  ExpectMoney(Plus(Brl(kMost - 1), Brl(1)), "BRL", kMost);
  ExpectMoney(Minus(Brl(kLeast + 1), Brl(1)), "BRL", kLeast);
  ExpectMoney(Times(Brl(kLeast / 2), 2), "BRL", kLeast);
}

TEST(Money, RefusesToOverflow) {
  ExpectOverflow(Plus(Brl(kMost), Brl(1)).status(),
                 "the sum of BRL 9223372036854775807 and 1 minor units is beyond 64 bits");
  ExpectOverflow(Plus(Brl(kLeast), Brl(-1)).status(),
                 "the sum of BRL -9223372036854775808 and -1 minor units is beyond 64 bits");
  ExpectOverflow(Minus(Brl(0), Brl(kLeast)).status(),
                 "the difference of BRL 0 and -9223372036854775808 minor units is beyond 64 bits");
  ExpectOverflow(Times(Brl(kMost / 2 + 1), 2).status(),
                 "the product of BRL 4611686018427387904 and 2 minor units is beyond 64 bits");
  ExpectOverflow(Times(Brl(kLeast), -1).status(),
                 "the product of BRL -9223372036854775808 and -1 minor units is beyond 64 bits");
}

TEST(Money, RefusesTwoCurrencies) {
  const Money euro = MakeMoney("EUR", 1);
  ExpectMismatch(Plus(Brl(1), euro).status());
  ExpectMismatch(Minus(Brl(1), euro).status());
  // Nothing of a currency is still that currency.
  ExpectMismatch(Plus(Brl(0), MakeMoney("EUR", 0)).status());
}

TEST(Money, LetsASumBeginWithNothing) {
  ExpectMoney(Plus(Money(), Brl(5)), "BRL", 5);
  ExpectMoney(Minus(Brl(5), Money()), "BRL", 5);
}

TEST(Money, TakesAnAmountWithoutCurrencyForNoCurrency) {
  EXPECT_EQ(ReasonOf(Plus(MakeMoney("", 1), Brl(5)).status()), "CURRENCY_MISMATCH");
}

}  // namespace
}  // namespace everfold
