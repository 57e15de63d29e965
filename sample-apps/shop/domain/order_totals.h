// What an order's items cost together.
#pragma once

#include "absl/status/statusor.h"
#include "everfold/event/money.h"
#include "shop/v1/order.pb.h"

namespace shop::v1 {

struct OrderTotals {
  everfold::Money items;
  everfold::Money freight;
};

// In the order's currency, also without items. Sums are right or errors: MONEY_OVERFLOW, CURRENCY_MISMATCH.
absl::StatusOr<OrderTotals> TotalsOf(const google::protobuf::RepeatedPtrField<OrderItem>& items,
                                     const std::string& currency);

}  // namespace shop::v1
