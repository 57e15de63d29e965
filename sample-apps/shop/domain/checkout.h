// What orders have that the shop fulfils by itself.
#pragma once

#include <optional>

#include "shop/v1/order.pb.h"

namespace shop::v1 {

// Each has a stock of its own to be asked.
inline constexpr int kMostProducts = 50;
// As long as an id of a stock can be.
inline constexpr int kMostProductIdBytes = 200;
inline constexpr int kConfirmWithinSeconds = 30 * 60;
// Of delivery.
inline constexpr int kReturnWithinDays = 30;

// The command's, with the time that it may take filled in; none if it has none.
std::optional<Checkout> CheckoutOf(const PlaceOrder& c);

}  // namespace shop::v1
