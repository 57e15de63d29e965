#include "domain/order_life_cycle.h"

#include <algorithm>

namespace shop::v1 {
namespace {

std::vector<OrderStatus> BeforeInTheShop(OrderStatus to) {
  switch (to) {
    case ORDER_STATUS_APPROVED:
      return {ORDER_STATUS_PLACED};
    case ORDER_STATUS_INVOICED:
      return {ORDER_STATUS_APPROVED};
    case ORDER_STATUS_PROCESSING:
      return {ORDER_STATUS_INVOICED};
    case ORDER_STATUS_SHIPPED:
      return {ORDER_STATUS_PROCESSING};
    case ORDER_STATUS_DELIVERED:
      return {ORDER_STATUS_SHIPPED};
    case ORDER_STATUS_CANCELED:
    case ORDER_STATUS_UNAVAILABLE:
      return {ORDER_STATUS_PLACED, ORDER_STATUS_APPROVED, ORDER_STATUS_INVOICED, ORDER_STATUS_PROCESSING};
    case ORDER_STATUS_REFUNDED:
      return {ORDER_STATUS_DELIVERED, ORDER_STATUS_CANCELED, ORDER_STATUS_UNAVAILABLE};
    default:
      return {};
  }
}

// Both end an order, so neither follows on the other.
int StageOf(OrderStatus status) { return status == ORDER_STATUS_UNAVAILABLE ? ORDER_STATUS_CANCELED : status; }

std::vector<OrderStatus> BeforeElsewhere(OrderStatus to) {
  std::vector<OrderStatus> statuses;
  for (int number = ORDER_STATUS_PLACED; number < OrderStatus_ARRAYSIZE; ++number) {
    const auto status = static_cast<OrderStatus>(number);
    if (StageOf(status) < StageOf(to)) statuses.push_back(status);
  }
  return statuses;
}

}  // namespace

std::vector<OrderStatus> StatusesBefore(OrderStatus to, Origin origin) {
  return origin == ORIGIN_IMPORTED ? BeforeElsewhere(to) : BeforeInTheShop(to);
}

bool MayFollow(OrderStatus to, OrderStatus from, Origin origin) {
  const std::vector<OrderStatus> wanted = StatusesBefore(to, origin);
  return std::find(wanted.begin(), wanted.end(), from) != wanted.end();
}

}  // namespace shop::v1
