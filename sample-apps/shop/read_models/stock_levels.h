// Stock levels: what of every product there is, and what of it may be sold.
#pragma once

#include "shop/v1/stock.everfold.h"
#include "shop/v1/stock_level.everfold.h"

namespace shop::v1 {

using everfold::EventContext;

struct StockLevels {
  static constexpr everfold::ProjectionOptions kOptions{.name = "stock_levels", .revision = 1};
  using Events = everfold::EventsOf<Stock>;
  using ReadModels = everfold::Tables<StockLevel>;

  static void On(const StockReceived& e, const EventContext& c, ReadModels& t);
  static void On(const StockReserved& e, const EventContext& c, ReadModels& t);
  static void On(const StockReleased& e, const EventContext& c, ReadModels& t);
  static void On(const StockShipped& e, const EventContext& c, ReadModels& t);
};

}  // namespace shop::v1
