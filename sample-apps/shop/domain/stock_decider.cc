#include "domain/stock_decider.h"

namespace shop::v1 {
namespace {

using everfold::Emit, everfold::Nothing, everfold::Reject;

// 0: none.
std::int64_t ReservedFor(const std::string& order, const Stock& stock) {
  const auto found = stock.reservations().find(order);
  return found == stock.reservations().end() ? 0 : found->second;
}

void End(Stock& stock, const std::string& order, std::int64_t quantity) {
  stock.mutable_reservations()->erase(order);
  stock.set_reserved(stock.reserved() - quantity);
}

}  // namespace

Decision<Stock> StockDecider::Decide(const Stock& s, const ReceiveStock& c, Context&) {
  if (s.on_hand() + c.quantity() > kMostPieces) {
    return Reject(MakeTooMuchStock({.on_hand = s.on_hand(), .most = kMostPieces}));
  }
  return Emit(MakeStockReceived({.quantity = c.quantity()}));
}

Decision<Stock> StockDecider::Decide(const Stock& s, const ReserveStock& c, Context&) {
  const std::int64_t reserved = ReservedFor(c.order_id(), s);
  if (reserved == c.quantity()) return Nothing();
  if (reserved != 0) return Reject(MakeReservationDiffers({.reserved = reserved}));
  const std::int64_t available = s.on_hand() - s.reserved();
  if (c.quantity() > available) return Reject(MakeStockShort({.wanted = c.quantity(), .available = available}));
  return Emit(
      MakeStockReserved({.order_id = c.order_id(), .quantity = c.quantity(), .has_checkout = c.has_checkout()}));
}

Decision<Stock> StockDecider::Decide(const Stock& s, const ReleaseStock& c, Context&) {
  const std::int64_t reserved = ReservedFor(c.order_id(), s);
  if (reserved == 0) return Nothing();
  return Emit(MakeStockReleased({.order_id = c.order_id(), .quantity = reserved}));
}

Decision<Stock> StockDecider::Decide(const Stock& s, const ShipStock& c, Context&) {
  const std::int64_t reserved = ReservedFor(c.order_id(), s);
  if (reserved == 0) return Reject(MakeNoReservation({.order_id = c.order_id()}));
  return Emit(MakeStockShipped({.order_id = c.order_id(), .quantity = reserved}));
}

void StockDecider::Evolve(Stock& s, const StockReceived& e) { s.set_on_hand(s.on_hand() + e.quantity()); }

void StockDecider::Evolve(Stock& s, const StockReserved& e) {
  (*s.mutable_reservations())[e.order_id()] = e.quantity();
  s.set_reserved(s.reserved() + e.quantity());
}

void StockDecider::Evolve(Stock& s, const StockReleased& e) { End(s, e.order_id(), e.quantity()); }

void StockDecider::Evolve(Stock& s, const StockShipped& e) {
  End(s, e.order_id(), e.quantity());
  s.set_on_hand(s.on_hand() - e.quantity());
}

}  // namespace shop::v1
