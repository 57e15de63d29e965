// A data set with 20 bad rows of all kinds: each is rejected for its own reason, and everything else arrives.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/import_olist/data_set.h"
#include "tools/import_olist/olist_values.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;

constexpr char kMalformed[] = SOURCE_DIRECTORY "/tools/import_olist/tests/malformed";

DataSet Read() {
  const absl::StatusOr<DataSet> data = ReadDataSet(kMalformed);
  EXPECT_TRUE(data.ok()) << data.status();
  return data.value_or(DataSet());
}

std::vector<std::string> RejectedOf(const DataSet& data) {
  std::vector<std::string> rejected;
  for (const BadRow& row : data.bad_rows)
    rejected.push_back(row.file + ":" + std::to_string(row.line) + ": " + row.why);
  return rejected;
}

TEST(AMalformedDataSet, IsRejectedRowByRow) {
  const DataSet data = Read();
  const std::string no_time = ", no time like 10/2/2017 10:56 or 2017-10-02 10:56:33";
  EXPECT_THAT(
      RejectedOf(data),
      ElementsAre("olist_customers_dataset.csv:3: 1 fields, the header has 3",
                  "olist_orders_dataset.csv:3: 4 fields, the header has 8",
                  "olist_orders_dataset.csv:4: order_purchase_timestamp is '13/45/2018 10:00'" + no_time,
                  "olist_orders_dataset.csv:5: order_purchase_timestamp is ''" + no_time,
                  "olist_orders_dataset.csv:6: order_status is 'vanished', which is none",
                  "olist_orders_dataset.csv:7: order good-1 is there already, on line 2",
                  "olist_orders_dataset.csv:8: order_id holds what cannot be printed",
                  "olist_orders_dataset.csv:9: order_id has 101 bytes, 100 are the most",
                  "olist_orders_dataset.csv:10: a quote that its line does not close",
                  "olist_order_items_dataset.csv:3: there is no order nowhere",
                  "olist_order_items_dataset.csv:4: price is 'ten', and not an amount",
                  "olist_order_items_dataset.csv:5: freight_value is -1.00, below 0",
                  "olist_order_items_dataset.csv:6: item 1 of order good-1 is there already, on line 2",
                  "olist_order_items_dataset.csv:7: text behind a closing quote",
                  "olist_order_payments_dataset.csv:3: payment_type is 'shells', which is none",
                  "olist_order_payments_dataset.csv:4: payment_value is -10.00, below 0",
                  "olist_order_payments_dataset.csv:5: payment_value is '10.005', and not an amount",
                  "olist_order_payments_dataset.csv:6: payment_sequential is 'one', and not a number from 1 to 1000",
                  "olist_order_payments_dataset.csv:7: there is no order nowhere",
                  "olist_order_payments_dataset.csv:8: payment_value is '99999999999999999999', and not an amount"));
}

TEST(AMalformedDataSet, LosesNothingElse) {
  const DataSet data = Read();
  const auto time = [](const char* text) { return ParseOlistTime(text).value(); };
  const OlistOrder first{.line = 2,
                         .order_id = "good-1",
                         .customer_id = "person-1",
                         .status = shop::v1::ORDER_STATUS_DELIVERED,
                         .placed_at = time("2018-01-02 10:00:00"),
                         .approved_at = time("2018-01-02 10:20:00"),
                         .shipped_at = time("2018-01-03 09:00:00"),
                         .delivered_at = time("2018-01-09 18:30:15"),
                         .items = {{.line = 2,
                                    .number = 1,
                                    .product_id = "prod-1",
                                    .seller_id = "sell-1",
                                    .price_minor = 10050,
                                    .freight_minor = 990}},
                         .payments = {{.line = 2,
                                       .sequential = 1,
                                       .method = shop::v1::PAYMENT_METHOD_CREDIT_CARD,
                                       .installments = 3,
                                       .amount_minor = 6040},
                                      {.line = 10,
                                       .sequential = 2,
                                       .method = shop::v1::PAYMENT_METHOD_VOUCHER,
                                       .installments = 1,
                                       .amount_minor = 5000}}};
  const OlistOrder second{.line = 11,
                          .order_id = "good-2",
                          .customer_id = "cust-2",  // its row is a bad one
                          .person_is_known = false,
                          .status = shop::v1::ORDER_STATUS_CANCELED,
                          .placed_at = time("2018-01-05 08:05:00")};
  const OlistOrder third{.line = 12,
                         .order_id = "good-3",
                         .customer_id = "person-3",
                         .status = shop::v1::ORDER_STATUS_SHIPPED,
                         .placed_at = time("2018-01-06 23:59:00"),
                         .approved_at = time("2018-01-07 00:10:00"),
                         .shipped_at = time("2018-01-07 12:00:00"),
                         .items = {{.line = 9,
                                    .number = 1,
                                    .product_id = "prod-2",
                                    .seller_id = "sell-2",
                                    .price_minor = 2000,
                                    .freight_minor = 0}},
                         .payments = {{.line = 11,
                                       .sequential = 1,
                                       .method = shop::v1::PAYMENT_METHOD_BOLETO,
                                       .installments = 1,
                                       .amount_minor = 2000}}};
  EXPECT_THAT(data.orders, ElementsAre(first, second, third));
  EXPECT_EQ(data.rows_of_bad_orders, 2) << "an item and a payment of the order that vanished";
}

}  // namespace
}  // namespace everfold
