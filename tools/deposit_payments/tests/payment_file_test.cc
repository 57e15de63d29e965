#include "tools/deposit_payments/payment_file.h"

#include <fstream>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;

absl::StatusOr<PaymentFile> Read(const std::string& text) {
  std::istringstream input(text);
  return ReadPayments(input, "f.csv");
}

TEST(ReadPayments, TakesColumnsByName) {
  const auto file = Read("payment_value,order_id,note,payment_type,payment_sequential\n12.5,o1,x,boleto,2\n");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_THAT(
      file->payments,
      ElementsAre(Payment{.line = 2, .order_id = "o1", .sequential = "2", .method = "boleto", .amount_minor = 1250}));
  EXPECT_THAT(file->bad_lines, ElementsAre());
}

TEST(ReadPayments, LeavesAnAmountOfZeroToTheFieldRule) {
  const auto file = Read("order_id,payment_sequential,payment_type,payment_value\no1,1,voucher,0\n");
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_EQ(file->payments.size(), 1u);
  EXPECT_EQ(file->payments[0].amount_minor, 0);
}

TEST(ReadPayments, KeepsLinesThatAreNoPayment) {
  const auto file = Read(
      "order_id,payment_sequential,payment_type,payment_value\n"
      "o1,1,voucher\n"
      ",1,voucher,5\n"
      "o1,1,,5\n"
      "o1,1,voucher,five\n"
      "\"o1\"x,1,voucher,5\n"
      "o2,1,voucher,5\n");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_THAT(
      file->bad_lines,
      ElementsAre(BadLine{2, "3 fields, the header has 4"}, BadLine{3, "no order_id or payment_sequential"},
                  BadLine{4, "no payment_type"}, BadLine{5, "'five' is not an amount: it holds more than digits"},
                  BadLine{6, "text behind a closing quote"}));
  ASSERT_EQ(file->payments.size(), 1u);
  EXPECT_EQ(file->payments[0].line, 7);
}

TEST(ReadPayments, RefusesAnotherKindOfFile) {
  EXPECT_EQ(Read("order_id,price\n").status().message(),
            "f.csv: the header lacks: payment_sequential, payment_type, payment_value");
  EXPECT_EQ(Read("").status().message(), "f.csv: the file is empty");
}

TEST(ReadPayments, RejectsALastLineThatIsCutOff) {
  const auto file = Read("order_id,payment_sequential,payment_type,payment_value\no1,1,voucher,5.25\no2,1,voucher,5.2");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->payments.size(), 1u);
  EXPECT_THAT(file->bad_lines, ElementsAre(BadLine{3, "the file ends in the middle of this line"}));
}

TEST(ReadPayments, TellsWhatItCannotRead) {
  std::ifstream folder("/");
  const absl::Status status = ReadPayments(folder, "f.csv").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(status.message(), "f.csv:1: cannot be read: Is a directory");
}

}  // namespace
}  // namespace everfold
