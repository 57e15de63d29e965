#include "read_models/stock_levels.h"

namespace shop::v1 {
namespace {

struct Change {
  std::int64_t on_hand = 0;
  std::int64_t reserved = 0;
  std::int64_t reservations = 0;
  std::int64_t shipped = 0;
};

void Add(const Change& change, const EventContext& c, StockLevels::ReadModels& t) {
  t.Of<StockLevel>().Edit(c.id, [&](StockLevel& row) {
    row.set_on_hand(row.on_hand() + change.on_hand);
    row.set_reserved(row.reserved() + change.reserved);
    row.set_available(row.on_hand() - row.reserved());
    row.set_reservations(row.reservations() + change.reservations);
    row.set_shipped(row.shipped() + change.shipped);
  });
}

}  // namespace

void StockLevels::On(const StockReceived& e, const EventContext& c, ReadModels& t) {
  Add({.on_hand = e.quantity()}, c, t);
}

void StockLevels::On(const StockReserved& e, const EventContext& c, ReadModels& t) {
  Add({.reserved = e.quantity(), .reservations = 1}, c, t);
}

void StockLevels::On(const StockReleased& e, const EventContext& c, ReadModels& t) {
  Add({.reserved = -e.quantity(), .reservations = -1}, c, t);
}

void StockLevels::On(const StockShipped& e, const EventContext& c, ReadModels& t) {
  Add({.on_hand = -e.quantity(), .reserved = -e.quantity(), .reservations = -1, .shipped = e.quantity()}, c, t);
}

}  // namespace shop::v1
