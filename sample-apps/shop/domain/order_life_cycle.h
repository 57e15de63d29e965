// Which step of an order follows on which.
//
//   placed -> approved -> invoiced -> processing -> shipped -> delivered
//      '---------'-----------'------------'------> canceled, unavailable     and from these three: refunded
//
// The shop's own orders take every step. Imported ones may leave steps out, and may be canceled when they are with the
// customer already, because other systems' records are like that; but they go back as little as the others.
//
// Orders with a checkout, which the shop fulfils by itself, take other ones:
//
//   placed -> stock reserved -> payment authorized -> confirmed -> shipped -> delivered
//    | '------------'------------------'---------------'--> canceled  '----------'--> returned -> refunded
//    '--> unavailable
#pragma once

#include <vector>

#include "shop/v1/order.pb.h"

namespace shop::v1 {

enum class LifeCycle {
  kByHand,
  kWithCheckout,
  kImported,
};

LifeCycle LifeCycleOf(const Order& order);

// The statuses on which `to` follows, in the order of the life cycle.
std::vector<OrderStatus> StatusesBefore(OrderStatus to, LifeCycle life_cycle);

bool MayFollow(OrderStatus to, OrderStatus from, LifeCycle life_cycle);

}  // namespace shop::v1
