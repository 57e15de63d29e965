#include "read_models/stock_levels.h"

#include "everfold/testing/project.h"
#include "gtest/gtest.h"
#include "shop_samples.h"

namespace shop::v1 {
namespace {

using everfold::testing::InStream;
using everfold::testing::Project;

StockReceived Received(std::int64_t quantity) { return MakeStockReceived({.quantity = quantity}); }
StockReserved Reserved(const std::string& order, std::int64_t quantity) {
  return MakeStockReserved({.order_id = order, .quantity = quantity});
}

TEST(StockLevels, ShowWhatMayBeSold) {
  Project<StockLevels>(InStream("p1", Received(10), Reserved("o1", 4)), InStream("p2", Received(1)))
      .ExpectRows(
          MakeStockLevel(
              {.product_id = "p1", .on_hand = 10, .reserved = 4, .available = 6, .reservations = 1, .shipped = 0}),
          MakeStockLevel(
              {.product_id = "p2", .on_hand = 1, .reserved = 0, .available = 1, .reservations = 0, .shipped = 0}));
}

TEST(StockLevels, FollowReservationsToTheirEnds) {
  Project<StockLevels>(InStream("p1", Received(10), Reserved("o1", 4), Reserved("o2", 3), Reserved("o3", 2),
                                MakeStockShipped({.order_id = "o1", .quantity = 4}),
                                MakeStockReleased({.order_id = "o2", .quantity = 3})))
      .ExpectRows(MakeStockLevel(
          {.product_id = "p1", .on_hand = 6, .reserved = 2, .available = 4, .reservations = 1, .shipped = 4}));
}

}  // namespace
}  // namespace shop::v1
