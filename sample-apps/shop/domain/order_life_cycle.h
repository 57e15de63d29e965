// Which step of an order follows on which.
//
//   placed -> approved -> invoiced -> processing -> shipped -> delivered
//      '---------'-----------'------------'------> canceled, unavailable     and from these three: refunded
//
// The shop's own orders take every step. Imported ones may leave steps out, and may be canceled when they are with the
// customer already, because other systems' records are like that; but they go back as little as the others.
#pragma once

#include <vector>

#include "shop/v1/order.pb.h"

namespace shop::v1 {

// The statuses on which `to` follows, in the order of their numbers.
std::vector<OrderStatus> StatusesBefore(OrderStatus to, Origin origin);

bool MayFollow(OrderStatus to, OrderStatus from, Origin origin);

}  // namespace shop::v1
