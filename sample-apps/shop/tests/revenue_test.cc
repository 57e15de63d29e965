#include "read_models/revenue.h"

#include <limits>
#include <stdexcept>

#include "everfold/testing/project.h"
#include "gtest/gtest.h"
#include "read_models/checked_sum.h"
#include "shop_samples.h"

namespace shop::v1 {
namespace {

using everfold::Money;
using everfold::testing::InStream;
using everfold::testing::Project;

PaymentTerms TermsOf(PaymentMethod method) {
  return MakePaymentTerms({.order_id = "o1", .method = method, .installments = 1});
}
PaymentCaptured Captured(PaymentMethod method, const Money& amount, const std::string& at) {
  return MakePaymentCaptured({.terms = TermsOf(method), .amount = amount, .occurred_at = At(at)});
}
PaymentRefunded Refunded(PaymentMethod method, const Money& amount, const std::string& at) {
  return MakePaymentRefunded({.terms = TermsOf(method), .amount = amount, .occurred_at = At(at)});
}
RevenueByMethodDay OnDay(PaymentMethod method, const std::string& day, const std::string& currency,
                         std::int64_t payments, std::int64_t captured, std::int64_t refunded) {
  return MakeRevenueByMethodDay({.method = method,
                                 .day = day,
                                 .currency = currency,
                                 .payments = payments,
                                 .captured_minor = captured,
                                 .refunded_minor = refunded});
}
RevenueByMethod InAll(PaymentMethod method, const std::string& currency, std::int64_t payments, std::int64_t captured,
                      std::int64_t refunded) {
  return MakeRevenueByMethod({.method = method,
                              .currency = currency,
                              .payments = payments,
                              .captured_minor = captured,
                              .refunded_minor = refunded});
}

constexpr PaymentMethod kCard = PAYMENT_METHOD_CREDIT_CARD;
constexpr PaymentMethod kBoleto = PAYMENT_METHOD_BOLETO;

TEST(Revenue, AddsUpByMethodAndDay) {
  Project<Revenue>(InStream("o1-1", Captured(kCard, Brl(100), "2025-03-01T00:00:00")),
                   InStream("o2-1", Captured(kCard, Brl(20), "2025-03-01T23:59:59")),
                   InStream("o3-1", Captured(kCard, Brl(3), "2025-03-02T00:00:00")),
                   InStream("o4-1", Captured(kBoleto, Brl(0), "2025-03-01T12:00:00")))
      .ExpectRows(OnDay(kBoleto, "2025-03-01", "BRL", 1, 0, 0), OnDay(kCard, "2025-03-01", "BRL", 2, 120, 0),
                  OnDay(kCard, "2025-03-02", "BRL", 1, 3, 0))
      .ExpectRows(InAll(kBoleto, "BRL", 1, 0, 0), InAll(kCard, "BRL", 3, 123, 0));
}

TEST(Revenue, CountsARefundOnItsOwnDay) {
  Project<Revenue>(InStream("o1-1", Captured(kCard, Brl(100), "2025-03-01"), Refunded(kCard, Brl(30), "2025-03-05"),
                            Refunded(kCard, Brl(70), "2025-03-05")))
      .ExpectRows(OnDay(kCard, "2025-03-01", "BRL", 1, 100, 0), OnDay(kCard, "2025-03-05", "BRL", 0, 0, 100))
      .ExpectRows(InAll(kCard, "BRL", 1, 100, 100));
}

TEST(Revenue, KeepsCurrenciesApart) {
  Project<Revenue>(InStream("o1-1", Captured(kCard, Brl(100), "2025-03-01")),
                   InStream("o1-2", Captured(kCard, Eur(1), "2025-03-01")))
      .ExpectRows(OnDay(kCard, "2025-03-01", "BRL", 1, 100, 0), OnDay(kCard, "2025-03-01", "EUR", 1, 1, 0))
      .ExpectRows(InAll(kCard, "BRL", 1, 100, 0), InAll(kCard, "EUR", 1, 1, 0));
}

TEST(Revenue, CountsNoMoneyThatIsOnlyPromised) {
  Project<Revenue>(InStream("o1-1",
                            MakePaymentAuthorized({.terms = TermsOf(kCard), .amount = Brl(5), .occurred_at = Now()}),
                            MakePaymentDeclined({.terms = TermsOf(kCard), .reason = "", .occurred_at = Now()})))
      .ExpectNoRows<RevenueByMethod>()
      .ExpectNoRows<RevenueByMethodDay>();
}

TEST(CheckedSum, ThrowsRatherThanBeWrong) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(CheckedSum(kMost - 5, Brl(5)), kMost);
  EXPECT_THROW(CheckedSum(kMost - 5, Brl(6)), std::exception);
}

}  // namespace
}  // namespace shop::v1
