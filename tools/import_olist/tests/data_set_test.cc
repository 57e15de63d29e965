#include "tools/import_olist/data_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "everfold/testing/scratch_directory.h"
#include "tools/import_olist/data_set_writer.h"
#include "tools/import_olist/order_generator.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
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
  EXPECT_EQ(status.message(), "/nowhere/olist_customers_dataset.csv: cannot be read: No such file or directory");
}

TEST(ReadDataSet, NamesTheFileThatCannotBeRead) {
  Folder folder;
  std::filesystem::remove(folder.path() + "/" + kItemsFile);
  std::filesystem::create_directory(folder.path() + "/" + kItemsFile);
  const absl::Status status = folder.Read().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(std::string(status.message()),
            folder.path() + "/olist_order_items_dataset.csv:1: cannot be read: Is a directory");
}

TEST(ReadDataSet, RejectsALastRowThatMayBeCutOffAndNothingElse) {
  Folder folder;
  folder.Append(kOrdersFile, "o1,c1,created,10/2/2017 10:56,,,\no2,c2,created,10/2/2017 10:56,,,");
  folder.Append(kItemsFile, "o1,1,p,s,1,0\no2,1,p,s,1,0\n");
  folder.Append(kPaymentsFile, "o1,1,boleto,1,40.95\r\no1,2,boleto,1,40.9");
  const auto data = folder.Read();
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(data->bad_rows, ElementsAre(BadRow{kOrdersFile, 3, "the file ends in the middle of this line"},
                                          BadRow{kPaymentsFile, 3, "the file ends in the middle of this line"}));
  ASSERT_THAT(data->orders, SizeIs(1));
  EXPECT_THAT(data->orders[0].items, SizeIs(1));
  ASSERT_THAT(data->orders[0].payments, SizeIs(1));
  EXPECT_EQ(data->orders[0].payments[0].amount_minor, 4095);
  EXPECT_EQ(data->rows_of_bad_orders, 1);
}

TEST(ReadDataSet, NamesTheLimitOfAnAmount) {
  Folder folder;
  folder.Append(kOrdersFile, "o1,c1,created,10/2/2017 10:56,,,\n");
  folder.Append(kPaymentsFile, "o1,1,boleto,1,10000000000.01\no1,2,boleto,1,10000000000\n");
  const auto data = folder.Read();
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(
      data->bad_rows,
      ElementsAre(BadRow{kPaymentsFile, 2,
                         "payment_value is 10000000000.01, above 10000000000.00, the most that the shop takes"}));
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
  const auto writer = DataSetWriter::Open(folder.path(), ExistingFiles::kReplaced);
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

TEST(DataSetWriter, TellsWhyAFolderCannotBeWritten) {
  const absl::Status status = DataSetWriter::Open("/proc/nowhere", ExistingFiles::kKept).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(status.message(), "/proc/nowhere/olist_orders_dataset.csv: cannot be written: No such file or directory");
}

TEST(DataSetWriter, KeepsADataSetThatIsThere) {
  testing::ScratchDirectory scratch;
  std::ofstream(scratch.path() + "/" + kPaymentsFile) << "mine";
  const absl::Status status = DataSetWriter::Open(scratch.path(), ExistingFiles::kKept).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(std::string(status.message()), scratch.path() + " holds olist_order_payments_dataset.csv already");
  std::string text;
  std::ifstream(scratch.path() + "/" + kPaymentsFile) >> text;
  EXPECT_EQ(text, "mine");
  EXPECT_FALSE(std::filesystem::exists(scratch.path() + "/" + kOrdersFile));
}

TEST(DataSetWriter, TellsOfAFullDisk) {
  testing::ScratchDirectory scratch;
  std::filesystem::create_symlink("/dev/full", scratch.path() + "/" + kItemsFile);
  const auto writer = DataSetWriter::Open(scratch.path(), ExistingFiles::kReplaced);
  ASSERT_TRUE(writer.ok()) << writer.status();
  const absl::Status status = (*writer)->Close();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(std::string(status.message()),
            scratch.path() + "/olist_order_items_dataset.csv: cannot be written: No space left on device");
}

}  // namespace
}  // namespace everfold
