#include "tools/import_olist/oddities.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace everfold {
namespace {

using namespace shop::v1;  // NOLINT: its enumerators
using ::testing::ElementsAre;

absl::Time Day(int day) { return absl::FromCivil(absl::CivilDay(2018, 1, day), absl::UTCTimeZone()); }

OlistOrder Ordinary() {
  return {
      .line = 3,
      .order_id = "o1",
      .customer_id = "person-1",
      .status = ORDER_STATUS_DELIVERED,
      .placed_at = Day(1),
      .approved_at = Day(2),
      .shipped_at = Day(3),
      .delivered_at = Day(4),
      .items = {{.line = 3, .number = 1, .product_id = "p", .seller_id = "s", .price_minor = 90, .freight_minor = 10}},
      .payments = {
          {.line = 3, .sequential = 1, .method = PAYMENT_METHOD_BOLETO, .installments = 1, .amount_minor = 100}}};
}

template <class Change>
std::vector<Oddity> After(Change change) {
  OlistOrder order = Ordinary();
  change(order);
  return OdditiesOf(order);
}

TEST(Oddities, AreNoneInAnOrdinaryOrder) { EXPECT_THAT(OdditiesOf(Ordinary()), ElementsAre()); }

TEST(Oddities, AreOfAllKinds) {
  EXPECT_THAT(After([](OlistOrder& o) { o.items.clear(); }), ElementsAre(Oddity::kNoItems));
  EXPECT_THAT(After([](OlistOrder& o) { o.payments[0].amount_minor = 99; }), ElementsAre(Oddity::kPaymentsDiffer));
  EXPECT_THAT(After([](OlistOrder& o) { o.payments.clear(); }), ElementsAre(Oddity::kPaymentsDiffer));
  EXPECT_THAT(After([](OlistOrder& o) { o.approved_at = Day(3) + absl::Minutes(1); }),
              ElementsAre(Oddity::kShippedBeforeApproval));
  EXPECT_THAT(After([](OlistOrder& o) { o.approved_at.reset(); }), ElementsAre(Oddity::kShippedBeforeApproval));
  EXPECT_THAT(After([](OlistOrder& o) { o.status = ORDER_STATUS_CANCELED; }),
              ElementsAre(Oddity::kCanceledYetDelivered));
  EXPECT_THAT(After([](OlistOrder& o) { o.delivered_at.reset(); }), ElementsAre(Oddity::kDeliveredWithoutDate));
  EXPECT_THAT(After([](OlistOrder& o) { o.status = ORDER_STATUS_SHIPPED; }), ElementsAre(Oddity::kDateBeyondStatus));
  EXPECT_THAT(After([](OlistOrder& o) { o.person_is_known = false; }), ElementsAre(Oddity::kPersonUnknown));
  EXPECT_THAT(After([](OlistOrder& o) { o.payments[0].method = PAYMENT_METHOD_NOT_RECORDED; }),
              ElementsAre(Oddity::kMethodUnknown));
}

TEST(Oddities, AreNoneInAnEarlyApprovalOnTheSameMinute) {
  EXPECT_THAT(After([](OlistOrder& o) { o.approved_at = o.shipped_at; }), ElementsAre());
}

TEST(OddityList, CountsAllAndListsTheFirstOfEachKind) {
  OddityList list;
  for (int i = 1; i <= 1234; ++i) {
    OlistOrder order = Ordinary();
    order.line = i;
    order.items.clear();
    if (i == 5) order.person_is_known = false;
    list.Add(order);
  }
  EXPECT_EQ(list.total(), 1235);
  EXPECT_EQ(list.count(Oddity::kNoItems), 1234);
  std::ostringstream text;
  list.Print(text);
  EXPECT_EQ(text.str(),
            "1,235 warnings\n"
            "  1,234  without items\n"
            "           olist_orders_dataset.csv:1 order o1\n"
            "           olist_orders_dataset.csv:2 order o1\n"
            "           olist_orders_dataset.csv:3 order o1\n"
            "           olist_orders_dataset.csv:4 order o1\n"
            "           olist_orders_dataset.csv:5 order o1\n"
            "           olist_orders_dataset.csv:6 order o1\n"
            "           olist_orders_dataset.csv:7 order o1\n"
            "           olist_orders_dataset.csv:8 order o1\n"
            "           olist_orders_dataset.csv:9 order o1\n"
            "           olist_orders_dataset.csv:10 order o1\n"
            "           and 1,224 more\n"
            "      1  customer is not among the customers\n"
            "           olist_orders_dataset.csv:5 order o1\n");
}

}  // namespace
}  // namespace everfold
