#include "domain/stock_decider.h"
#include "everfold/testing/given.h"
#include "gtest/gtest.h"
#include "shop_samples.h"

namespace shop::v1 {
namespace {

using everfold::testing::Given;

ReceiveStock Receive(std::int64_t quantity) { return MakeReceiveStock({.product_id = "p1", .quantity = quantity}); }
ReserveStock Reserve(const std::string& order, std::int64_t quantity) {
  return MakeReserveStock({.product_id = "p1", .order_id = order, .quantity = quantity});
}
ReleaseStock Release(const std::string& order) { return MakeReleaseStock({.product_id = "p1", .order_id = order}); }
ShipStock Ship(const std::string& order) { return MakeShipStock({.product_id = "p1", .order_id = order}); }

StockReceived Received(std::int64_t quantity) { return MakeStockReceived({.quantity = quantity}); }
StockReserved Reserved(const std::string& order, std::int64_t quantity) {
  return MakeStockReserved({.order_id = order, .quantity = quantity});
}
StockReleased Released(const std::string& order, std::int64_t quantity) {
  return MakeStockReleased({.order_id = order, .quantity = quantity});
}
StockShipped Shipped(const std::string& order, std::int64_t quantity) {
  return MakeStockShipped({.order_id = order, .quantity = quantity});
}
StockShort Short(std::int64_t wanted, std::int64_t available) {
  return MakeStockShort({.wanted = wanted, .available = available});
}

TEST(Stock, ComesIn) {
  Given<StockDecider>().When(Receive(5)).Then(Received(5));
  Given<StockDecider>(Received(5)).When(Receive(1)).Then(Received(1));
}

TEST(Stock, IsNoMoreThanCanBeCounted) {
  Given<StockDecider>(Received(kMostPieces - 1)).When(Receive(1)).Then(Received(1));
  Given<StockDecider>(Received(kMostPieces - 1))
      .When(Receive(2))
      .ThenRejected(MakeTooMuchStock({.on_hand = kMostPieces - 1, .most = kMostPieces}));
}

TEST(ReservingStock, TakesWhatIsThere) {
  Given<StockDecider>(Received(5)).When(Reserve("o1", 5)).Then(Reserved("o1", 5));
  Given<StockDecider>(Received(5)).When(Reserve("o1", 6)).ThenRejected(Short(6, 5));
  Given<StockDecider>().When(Reserve("o1", 1)).ThenRejected(Short(1, 0));
}

TEST(ReservingStock, LeavesOtherOrdersWhatIsSetAsideForThem) {
  Given<StockDecider>(Received(5), Reserved("o1", 3)).When(Reserve("o2", 3)).ThenRejected(Short(3, 2));
  Given<StockDecider>(Received(5), Reserved("o1", 3)).When(Reserve("o2", 2)).Then(Reserved("o2", 2));
  Given<StockDecider>(Received(5), Reserved("o1", 3), Shipped("o1", 3))
      .When(Reserve("o2", 3))
      .ThenRejected(Short(3, 2));
}

TEST(ReservingStock, TakesWhatIsReleased) {
  Given<StockDecider>(Received(5), Reserved("o1", 3), Released("o1", 3)).When(Reserve("o2", 5)).Then(Reserved("o2", 5));
}

TEST(ReservingStock, HappensOnceForAnOrder) {
  Given<StockDecider>(Received(5), Reserved("o1", 3)).When(Reserve("o1", 3)).ThenNothing();
  Given<StockDecider>(Received(3), Reserved("o1", 3)).When(Reserve("o1", 3)).ThenNothing();
  Given<StockDecider>(Received(5), Reserved("o1", 3))
      .When(Reserve("o1", 2))
      .ThenRejected(MakeReservationDiffers({.reserved = 3}));
}

TEST(ReservingStock, SaysWhetherTheOrderHasACheckout) {
  ReserveStock reserve = Reserve("o1", 1);
  reserve.set_has_checkout(true);
  StockReserved reserved = Reserved("o1", 1);
  reserved.set_has_checkout(true);
  Given<StockDecider>(Received(5)).When(reserve).Then(reserved);
}

TEST(ReleasingStock, GivesAllOfAReservationBack) {
  Given<StockDecider>(Received(5), Reserved("o1", 3)).When(Release("o1")).Then(Released("o1", 3));
}

TEST(ReleasingStock, OfNothingChangesNothing) {
  Given<StockDecider>().When(Release("o1")).ThenNothing();
  Given<StockDecider>(Received(5), Reserved("o2", 3)).When(Release("o1")).ThenNothing();
  Given<StockDecider>(Received(5), Reserved("o1", 3), Released("o1", 3)).When(Release("o1")).ThenNothing();
  Given<StockDecider>(Received(5), Reserved("o1", 3), Shipped("o1", 3)).When(Release("o1")).ThenNothing();
}

TEST(ShippingStock, TakesAReservation) {
  Given<StockDecider>(Received(5), Reserved("o1", 3)).When(Ship("o1")).Then(Shipped("o1", 3));
  const auto none = MakeNoReservation({.order_id = "o1"});
  Given<StockDecider>(Received(5)).When(Ship("o1")).ThenRejected(none);
  Given<StockDecider>(Received(5), Reserved("o1", 3), Shipped("o1", 3)).When(Ship("o1")).ThenRejected(none);
  Given<StockDecider>(Received(5), Reserved("o1", 3), Released("o1", 3)).When(Ship("o1")).ThenRejected(none);
}

TEST(StockCommands, CheckTheirFields) {
  Given<StockDecider>().When(Receive(0)).ThenInvalid("quantity", "int64.gte_lte");
  Given<StockDecider>().When(Receive(1'000'000'001)).ThenInvalid("quantity", "int64.gte_lte");
  Given<StockDecider>().When(Reserve("o1", 0)).ThenInvalid("quantity", "int64.gte_lte");
  Given<StockDecider>().When(Reserve("", 1)).ThenInvalid("order_id", "required");
  Given<StockDecider>().When(Release("a\nb")).ThenInvalid("order_id", "string.pattern");
  Given<StockDecider>().When(Ship(std::string(201, 'o'))).ThenInvalid("order_id", "string.max_len");
}

TEST(AStocksState, FollowsItsEvents) {
  Stock state;
  state.set_on_hand(6);
  state.set_reserved(2);
  (*state.mutable_reservations())["o3"] = 2;
  Given<StockDecider>(Received(5), Reserved("o1", 3), Reserved("o2", 1), Shipped("o1", 3), Received(4),
                      Released("o2", 1), Reserved("o3", 2))
      .When(Release("o1"))
      .ThenState(state);
}

}  // namespace
}  // namespace shop::v1
