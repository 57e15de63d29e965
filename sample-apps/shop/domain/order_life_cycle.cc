#include "domain/order_life_cycle.h"

#include <algorithm>

namespace shop::v1 {
namespace {

std::vector<OrderStatus> BeforeByHand(OrderStatus to) {
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

std::vector<OrderStatus> BeforeWithCheckout(OrderStatus to) {
  switch (to) {
    case ORDER_STATUS_STOCK_RESERVED:
    case ORDER_STATUS_UNAVAILABLE:
      return {ORDER_STATUS_PLACED};
    case ORDER_STATUS_PAYMENT_AUTHORIZED:
      return {ORDER_STATUS_STOCK_RESERVED};
    case ORDER_STATUS_CONFIRMED:
      return {ORDER_STATUS_PAYMENT_AUTHORIZED};
    case ORDER_STATUS_SHIPPED:
      return {ORDER_STATUS_CONFIRMED};
    case ORDER_STATUS_DELIVERED:
      return {ORDER_STATUS_SHIPPED};
    case ORDER_STATUS_CANCELED:
      return {ORDER_STATUS_PLACED, ORDER_STATUS_STOCK_RESERVED, ORDER_STATUS_PAYMENT_AUTHORIZED,
              ORDER_STATUS_CONFIRMED};
    case ORDER_STATUS_RETURNED:
      return {ORDER_STATUS_SHIPPED, ORDER_STATUS_DELIVERED};
    case ORDER_STATUS_REFUNDED:
      return {ORDER_STATUS_RETURNED};
    default:
      return {};
  }
}

// Both end an order, so neither follows on the other.
int StageOf(OrderStatus status) { return status == ORDER_STATUS_UNAVAILABLE ? ORDER_STATUS_CANCELED : status; }

std::vector<OrderStatus> BeforeElsewhere(OrderStatus to) {
  std::vector<OrderStatus> statuses;
  if (to > ORDER_STATUS_REFUNDED) return statuses;
  for (int number = ORDER_STATUS_PLACED; number <= ORDER_STATUS_REFUNDED; ++number) {
    const auto status = static_cast<OrderStatus>(number);
    if (StageOf(status) < StageOf(to)) statuses.push_back(status);
  }
  return statuses;
}

}  // namespace

LifeCycle LifeCycleOf(const Order& order) {
  if (order.origin() == ORIGIN_IMPORTED) return LifeCycle::kImported;
  return order.has_checkout() ? LifeCycle::kWithCheckout : LifeCycle::kByHand;
}

std::vector<OrderStatus> StatusesBefore(OrderStatus to, LifeCycle life_cycle) {
  switch (life_cycle) {
    case LifeCycle::kByHand:
      return BeforeByHand(to);
    case LifeCycle::kWithCheckout:
      return BeforeWithCheckout(to);
    case LifeCycle::kImported:
      return BeforeElsewhere(to);
  }
  return {};
}

bool MayFollow(OrderStatus to, OrderStatus from, LifeCycle life_cycle) {
  const std::vector<OrderStatus> wanted = StatusesBefore(to, life_cycle);
  return std::find(wanted.begin(), wanted.end(), from) != wanted.end();
}

}  // namespace shop::v1
