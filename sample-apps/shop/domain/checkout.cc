#include "domain/checkout.h"

namespace shop::v1 {

std::optional<Checkout> CheckoutOf(const PlaceOrder& c) {
  if (!c.has_checkout()) return std::nullopt;
  Checkout checkout = c.checkout();
  if (!checkout.has_confirm_within()) checkout.mutable_confirm_within()->set_seconds(kConfirmWithinSeconds);
  return checkout;
}

}  // namespace shop::v1
