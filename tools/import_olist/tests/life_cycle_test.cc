#include "tools/import_olist/life_cycle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everfold/base/timestamp.h"
#include "tools/import_olist/olist_values.h"

namespace everfold {
namespace {

using namespace shop::v1;  // NOLINT: its requests and enumerators
using ::testing::ElementsAre;

absl::Time Day(int day) { return absl::FromCivil(absl::CivilDay(2018, 1, day), absl::UTCTimeZone()); }

OlistOrder OrderOf(OrderStatus status) {
  return {.line = 5,
          .order_id = "o1",
          .customer_id = "person-1",
          .status = status,
          .placed_at = Day(1),
          .payments = {
              {.line = 9, .sequential = 1, .method = PAYMENT_METHOD_BOLETO, .installments = 1, .amount_minor = 12345}}};
}

OlistOrder Dated(OrderStatus status) {
  OlistOrder order = OrderOf(status);
  order.approved_at = Day(2);
  order.shipped_at = Day(3);
  order.delivered_at = Day(4);
  return order;
}

// "ship@3": the step that the request id names, and the day on which it occurred.
std::vector<std::string> StepNames(const OlistOrder& order) {
  std::vector<std::string> names;
  for (const Step& step : StepsOf(order)) {
    std::visit(
        [&names](const auto& request) {
          const absl::Time at = TimeOf(request.command().occurred_at());
          const std::string name = request.request_id().substr(std::string("olist/o1/").size());
          names.push_back(name + "@" + std::to_string(absl::ToCivilDay(at, absl::UTCTimeZone()).day()));
        },
        step.request);
  }
  return names;
}

TEST(StepsOf, ADeliveredOrderAreItsDates) {
  EXPECT_THAT(StepNames(Dated(ORDER_STATUS_DELIVERED)),
              ElementsAre("place@1", "approve@2", "capture-1@2", "ship@3", "deliver@4"));
}

TEST(StepsOf, AStatusWithoutADateHappenAtTheLatestTime) {
  OlistOrder order = OrderOf(ORDER_STATUS_INVOICED);
  EXPECT_THAT(StepNames(order), ElementsAre("place@1", "capture-1@1", "invoice@1"));
  order.approved_at = Day(2);
  EXPECT_THAT(StepNames(order), ElementsAre("place@1", "approve@2", "capture-1@2", "invoice@2"));
  order.status = ORDER_STATUS_PROCESSING;
  EXPECT_THAT(StepNames(order), ElementsAre("place@1", "approve@2", "capture-1@2", "process@2"));
  order.status = ORDER_STATUS_UNAVAILABLE;
  EXPECT_THAT(StepNames(order), ElementsAre("place@1", "approve@2", "capture-1@2", "unavailable@2"));
  order.status = ORDER_STATUS_DELIVERED;
  order.shipped_at = Day(3);
  EXPECT_THAT(StepNames(order), ElementsAre("place@1", "approve@2", "capture-1@2", "ship@3", "deliver@3"));
}

TEST(StepsOf, AnOrderBeginWithNoMoreThanIsKnown) {
  EXPECT_THAT(StepNames(OrderOf(ORDER_STATUS_PLACED)), ElementsAre("place@1", "capture-1@1"));
  EXPECT_THAT(StepNames(OrderOf(ORDER_STATUS_CANCELED)), ElementsAre("place@1", "capture-1@1", "cancel@1"));
}

TEST(StepsOf, ACanceledOrderMayHaveBeenDelivered) {
  EXPECT_THAT(StepNames(Dated(ORDER_STATUS_CANCELED)),
              ElementsAre("place@1", "approve@2", "capture-1@2", "ship@3", "deliver@4", "cancel@4"));
}

TEST(StepsOf, AnOrderKeepItsTimesHoweverOdd) {
  OlistOrder order = Dated(ORDER_STATUS_DELIVERED);
  order.approved_at = Day(6);
  EXPECT_THAT(StepNames(order), ElementsAre("place@1", "approve@6", "capture-1@6", "ship@3", "deliver@4"));
}

TEST(StepsOf, AnOrderEndWithItsStatus) {
  EXPECT_THAT(StepNames(Dated(ORDER_STATUS_SHIPPED)), ElementsAre("place@1", "approve@2", "capture-1@2", "ship@3"));
  EXPECT_THAT(StepNames(Dated(ORDER_STATUS_APPROVED)), ElementsAre("place@1", "approve@2", "capture-1@2"));
}

TEST(StepsOf, AnOrderCarryWhatTheRowsSay) {
  OlistOrder order = Dated(ORDER_STATUS_DELIVERED);
  order.items = {{.line = 7, .number = 1, .product_id = "p", .seller_id = "s", .price_minor = 990, .freight_minor = 5}};
  const std::vector<Step> steps = StepsOf(order);
  const PlaceOrder& place = std::get<PlaceOrderRequest>(steps[0].request).command();
  EXPECT_EQ(place.customer_id(), "person-1");
  EXPECT_EQ(place.origin(), ORIGIN_IMPORTED);
  EXPECT_EQ(place.currency(), "BRL");
  ASSERT_EQ(place.items_size(), 1);
  EXPECT_EQ(place.items(0).price().minor(), 990);
  EXPECT_EQ(place.items(0).freight().minor(), 5);
  EXPECT_EQ(place.items(0).quantity(), 1);
  EXPECT_EQ(steps[0].line, 5);

  const CapturePayment& capture = std::get<CapturePaymentRequest>(steps[2].request).command();
  EXPECT_EQ(capture.payment_id(), "o1-1");
  EXPECT_EQ(capture.terms().order_id(), "o1");
  EXPECT_EQ(capture.terms().method(), PAYMENT_METHOD_BOLETO);
  EXPECT_EQ(capture.amount().currency(), "BRL");
  EXPECT_EQ(capture.amount().minor(), 12345);
  EXPECT_EQ(std::string(steps[2].file), kPaymentsFile);
  EXPECT_EQ(steps[2].line, 9);
}

}  // namespace
}  // namespace everfold
