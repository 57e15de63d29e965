// What each command leads to in the stock of a product. There are never fewer pieces than are set aside, and so never
// fewer than none. An order has one reservation of a product: who asks for it again gets the same one.
#pragma once

#include "shop/v1/stock.everfold.h"

namespace shop::v1 {

using everfold::Context, everfold::Decision;

// A million millions: more than any warehouse holds.
inline constexpr std::int64_t kMostPieces = 1'000'000'000'000;

struct StockDecider {
  using Aggregate = Stock;

  static Decision<Stock> Decide(const Stock& s, const ReceiveStock& c, Context& context);
  static Decision<Stock> Decide(const Stock& s, const ReserveStock& c, Context& context);
  static Decision<Stock> Decide(const Stock& s, const ReleaseStock& c, Context& context);
  static Decision<Stock> Decide(const Stock& s, const ShipStock& c, Context& context);

  static void Evolve(Stock& s, const StockReceived& e);
  static void Evolve(Stock& s, const StockReserved& e);
  static void Evolve(Stock& s, const StockReleased& e);
  static void Evolve(Stock& s, const StockShipped& e);
};

}  // namespace shop::v1
