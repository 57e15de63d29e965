// What the shop's tests have in common: times and amounts that are quick to write.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "everfold/base/check.h"
#include "everfold/base/timestamp.h"
#include "everfold/event/money.h"
#include "shop/v1/order.everfold.h"
#include "shop/v1/payment.everfold.h"

namespace shop::v1 {

using google::protobuf::Timestamp;

inline everfold::Money Brl(std::int64_t minor) { return everfold::MakeMoney("BRL", minor); }
inline everfold::Money Eur(std::int64_t minor) { return everfold::MakeMoney("EUR", minor); }

// What a currency's field rule refuses.
inline const std::vector<std::string> kNoCurrencies = {"",     "brl",   "R$",     "BR",   "BRLX",
                                                       "BRL ", "BRL\n", "B\x01L", "BR\n", std::string(100'000, 'X')};

// "2025-03-01" or "2025-03-01T12:00:00", in UTC.
inline absl::Time Utc(const std::string& text) {
  absl::Time time;
  const std::string full = text.size() == 10 ? text + "T00:00:00" : text;
  EVERFOLD_CHECK(absl::ParseTime("%Y-%m-%dT%H:%M:%S", full, absl::UTCTimeZone(), &time, nullptr));
  return time;
}
inline Timestamp At(const std::string& text) { return everfold::TimestampOf(Utc(text)); }

// The time of tests unless they say otherwise: where the test kit's clock stands.
inline Timestamp Now() { return At("2026-01-01"); }

inline OrderItem Item(std::int64_t price_minor, std::int64_t freight_minor, std::int32_t quantity = 1) {
  return MakeOrderItem({.product_id = "p1",
                        .seller_id = "s1",
                        .price = Brl(price_minor),
                        .freight = Brl(freight_minor),
                        .quantity = quantity});
}

inline PaymentTerms CardFor(const std::string& order_id) {
  return MakePaymentTerms({.order_id = order_id, .method = PAYMENT_METHOD_CREDIT_CARD, .installments = 1});
}

}  // namespace shop::v1
