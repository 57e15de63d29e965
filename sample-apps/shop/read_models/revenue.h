// Revenue by payment method: in all, and by the UTC day on which it came in or was given back.
#pragma once

#include "shop/v1/payment.everfold.h"
#include "shop/v1/revenue.everfold.h"

namespace shop::v1 {

using everfold::EventContext;

struct Revenue {
  static constexpr everfold::ProjectionOptions kOptions{.name = "revenue", .revision = 1};
  using Events = everfold::EventsOf<Payment>;
  using ReadModels = everfold::Tables<RevenueByMethodDay, RevenueByMethod>;

  static void On(const PaymentCaptured& e, const EventContext& c, ReadModels& t);
  static void On(const PaymentRefunded& e, const EventContext& c, ReadModels& t);
};

}  // namespace shop::v1
