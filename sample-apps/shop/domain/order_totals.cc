#include "domain/order_totals.h"

#include "everfold/base/status.h"

namespace shop::v1 {

using everfold::Money, everfold::Plus, everfold::Times;

absl::StatusOr<OrderTotals> TotalsOf(const google::protobuf::RepeatedPtrField<OrderItem>& items,
                                     const std::string& currency) {
  OrderTotals totals{.items = everfold::MakeMoney(currency, 0), .freight = everfold::MakeMoney(currency, 0)};
  for (const OrderItem& item : items) {
    EVERFOLD_ASSIGN_OR_RETURN(const Money price, Times(item.price(), item.quantity()));
    EVERFOLD_ASSIGN_OR_RETURN(const Money freight, Times(item.freight(), item.quantity()));
    EVERFOLD_ASSIGN_OR_RETURN(totals.items, Plus(totals.items, price));
    EVERFOLD_ASSIGN_OR_RETURN(totals.freight, Plus(totals.freight, freight));
  }
  return totals;
}

}  // namespace shop::v1
