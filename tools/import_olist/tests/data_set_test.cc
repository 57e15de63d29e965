#include "tools/import_olist/data_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "everfold/testing/scratch_directory.h"
#include "tools/import_olist/data_set_writer.h"
#include "tools/import_olist/order_generator.h"

namespace everfold {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class Folder {
 public:
  Folder() {
    Write(kOrdersFile,
          "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,"
          "order_delivered_carrier_date,order_delivered_customer_date\n");
    Write(kItemsFile, "order_id,order_item_id,product_id,seller_id,price,freight_value\n");
    Write(kPaymentsFile, "order_id,payment_sequential,payment_type,payment_installments,payment_value\n");
    Write(kCustomersFile, "customer_id,customer_unique_id\n");
  }
  const std::string& path() const { return scratch_.path(); }
  void Write(const char* file, const std::string& text) { std::ofstream(path() + "/" + file) << text; }
  void Append(const char* file, const std::string& text) { std::ofstream(path() + "/" + file, std::ios::app) << text; }
  absl::StatusOr<DataSet> Read() const { return ReadDataSet(path()); }

 private:
  testing::ScratchDirectory scratch_;
};

TEST(ReadDataSet, TakesFilesWithoutRows) {
  const auto data = Folder().Read();
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(data->orders, SizeIs(0));
  EXPECT_THAT(data->bad_rows, SizeIs(0));
}

TEST(ReadDataSet, FindsColumnsByNameAmongOthers) {
  Folder folder;
  folder.Write(kPaymentsFile,
               "pk,payment_value,payment_installments,payment_type,payment_sequential,note,order_id\n"
               "7,1.5,2,boleto,1,x,o1\n");
  folder.Append(kOrdersFile, "o1,c1,created,10/2/2017 10:56,,,\n");
  const auto data = folder.Read();
  ASSERT_TRUE(data.ok()) << data.status();
  ASSERT_THAT(data->orders, SizeIs(1));
  ASSERT_THAT(data->orders[0].payments, SizeIs(1));
  EXPECT_EQ(data->orders[0].payments[0].amount_minor, 150);
}

TEST(ReadDataSet, SortsWhatTheFilesScatter) {
  Folder folder;
  folder.Append(kOrdersFile, "o1,c1,created,10/2/2017 10:56,,,\n");
  folder.Append(kPaymentsFile, "o1,2,boleto,1,2\no1,1,boleto,1,1\n");
  folder.Append(kItemsFile, "o1,2,p2,s,2,0\no1,1,p1,s,1,0\n");
  const auto data = folder.Read();
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->orders[0].payments[0].amount_minor, 100);
  EXPECT_EQ(data->orders[0].items[0].product_id, "p1");
}

TEST(ReadDataSet, RefusesMoreItemsThanTheShopTakes) {
  Folder folder;
  folder.Append(kOrdersFile, "o1,c1,created,10/2/2017 10:56,,,\n");
  for (int i = 1; i <= 501; ++i) folder.Append(kItemsFile, "o1," + std::to_string(i) + ",p,s,1,0\n");
  const auto data = folder.Read();
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(data->orders[0].items, SizeIs(500));
  ASSERT_THAT(data->bad_rows, SizeIs(1));
  EXPECT_EQ(data->bad_rows[0], (BadRow{kItemsFile, 502, "its order has 500 items already"}));
}

TEST(ReadDataSet, NamesTheFileThatIsMissing) {
  const absl::Status status = ReadDataSet("/nowhere").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "/nowhere/olist_customers_dataset.csv: cannot be read");
}

TEST(ReadDataSet, NamesTheColumnsThatAreMissing) {
  Folder folder;
  folder.Write(kItemsFile, "order_id,price\n");
  const absl::Status status = folder.Read().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("olist_order_items_dataset.csv: the header lacks: order_item_id, product_id, seller_id, "
                        "freight_value"));
  folder.Write(kItemsFile, "");
  EXPECT_THAT(std::string(folder.Read().status().message()), HasSubstr("the file is empty"));
}

// Generated orders ---------------------------------------------------------------------------------------------------

std::vector<OlistOrder> Generate(std::uint64_t seed, std::int64_t count) {
  OrderGenerator generator({.seed = seed, .orders = count});
  std::vector<OlistOrder> orders;
  while (count-- > 0) orders.push_back(generator.Next());
  return orders;
}

void ForgetLines(OlistOrder& order) {
  order.line = 0;
  for (OlistItem& item : order.items) item.line = 0;
  for (OlistPayment& payment : order.payments) payment.line = 0;
}

TEST(GeneratedOrders, AreReadAsTheyWereWritten) {
  const Folder folder;
  const std::vector<OlistOrder> orders = Generate(1, 2000);
  const auto writer = DataSetWriter::Open(folder.path());
  ASSERT_TRUE(writer.ok()) << writer.status();
  for (const OlistOrder& order : orders) (*writer)->Write(order);
  ASSERT_EQ((*writer)->Close(), absl::OkStatus());

  auto data = folder.Read();
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(data->bad_rows, SizeIs(0));
  for (OlistOrder& order : data->orders) ForgetLines(order);
  EXPECT_EQ(data->orders, orders);
}

TEST(GeneratedOrders, AreTheSameForTheSameSeedOnly) {
  EXPECT_EQ(Generate(7, 100), Generate(7, 100));
  EXPECT_NE(Generate(7, 100)[0].order_id, Generate(8, 100)[0].order_id);
}

TEST(GeneratedOrders, LookLikeRealOnes) {
  std::map<shop::v1::OrderStatus, int> statuses;
  std::map<shop::v1::PaymentMethod, int> methods;
  std::map<std::string, int> customers;
  absl::Time last = absl::InfinitePast();
  for (const OlistOrder& order : Generate(3, 10'000)) {
    ++statuses[order.status];
    ++customers[order.customer_id];
    for (const OlistPayment& payment : order.payments) ++methods[payment.method];
    EXPECT_GE(order.placed_at, last) << "orders come in the order of time";
    last = order.placed_at;
    EXPECT_GT(order.delivered_at.value_or(absl::InfiniteFuture()), order.shipped_at.value_or(absl::InfinitePast()));
  }
  EXPECT_THAT(statuses, SizeIs(8));
  EXPECT_GT(statuses[shop::v1::ORDER_STATUS_DELIVERED], 9500);
  EXPECT_THAT(methods, SizeIs(4));
  EXPECT_GT(methods[shop::v1::PAYMENT_METHOD_CREDIT_CARD], 7000);
  EXPECT_LT(customers.size(), 9800u);
  EXPECT_GT(customers.size(), 9500u);
  EXPECT_LT(last, absl::FromCivil(absl::CivilDay(2018, 9, 16), absl::UTCTimeZone()));
}

TEST(DataSetWriter, TellsOfAFolderThatCannotBeWritten) {
  const absl::Status status = DataSetWriter::Open("/proc/nowhere").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(status.message(), "/proc/nowhere: cannot be written");
}

}  // namespace
}  // namespace everfold
