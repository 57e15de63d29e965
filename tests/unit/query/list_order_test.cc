#include "everfold/query/list_order.h"

#include "everfold/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/query/order_rows.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;

const ReadModelSchema kSchema = OrderRowSchema();

std::vector<OrderTerm> Parsed(const std::string& order) {
  const auto terms = ParseOrder(kSchema, order);
  EXPECT_TRUE(terms.ok()) << order << ": " << terms.status();
  return terms.value_or(std::vector<OrderTerm>());
}

std::string Refusal(const std::string& order) {
  const absl::Status status = ParseOrder(kSchema, order).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << order;
  EXPECT_EQ(ReasonOf(status), reason::kRequestInvalid) << order;
  return std::string(status.message());
}

TEST(ListOrder, EmptyTextIsTheOrderOfTheKey) {
  EXPECT_THAT(Parsed(""), ElementsAre(OrderTerm{0, false}));
  EXPECT_THAT(Parsed("  "), ElementsAre(OrderTerm{0, false}));
}

TEST(ListOrder, EndsWithTheKeyInTheDirectionOfTheLastTerm) {
  EXPECT_THAT(Parsed("customer"), ElementsAre(OrderTerm{1, false}, OrderTerm{0, false}));
  EXPECT_THAT(Parsed("customer,placed_at desc"),
              ElementsAre(OrderTerm{1, false}, OrderTerm{4, true}, OrderTerm{0, true}));
  EXPECT_THAT(Parsed(" total.minor  desc ,\tkind asc "),
              ElementsAre(OrderTerm{5, true}, OrderTerm{2, false}, OrderTerm{0, false}));
}

TEST(ListOrder, KeyThatIsNamedIsNotAdded) {
  EXPECT_THAT(Parsed("id desc"), ElementsAre(OrderTerm{0, true}));
  EXPECT_THAT(Parsed("id, customer"), ElementsAre(OrderTerm{0, false}, OrderTerm{1, false}));
}

TEST(ListOrder, NamesThePlaceOfWhatIsNoOrder) {
  const std::string there_are =
      " to order by; there are: id, customer, placed_at, total.minor, kind, paid, weight, mark";
  EXPECT_EQ(Refusal("secret"), "order_by, at 1: there is no field \"secret\"" + there_are);
  EXPECT_EQ(Refusal("id, -customer"), "order_by, at 5: there is no field \"-customer\"" + there_are);
  EXPECT_EQ(Refusal("1"), "order_by, at 1: there is no field \"1\"" + there_are);
  EXPECT_EQ(Refusal("id; DROP TABLE order_row"), "order_by, at 1: there is no field \"id;\"" + there_are);
  EXPECT_EQ(Refusal("id DESC"), "order_by, at 4: a comma, asc or desc is expected");
  EXPECT_EQ(Refusal("id desc desc"), "order_by, at 9: a comma, asc or desc is expected");
  EXPECT_EQ(Refusal("id,"), "order_by, at 4: the name of a field is expected");
  EXPECT_EQ(Refusal(","), "order_by, at 1: the name of a field is expected");
  EXPECT_EQ(Refusal("id,,customer"), "order_by, at 4: the name of a field is expected");
  EXPECT_EQ(Refusal("customer, id, customer desc"), "order_by, at 15: \"customer\" is named twice");
}

TEST(ListOrder, HasABoundedSize) {
  const absl::Status status = ParseOrder(kSchema, std::string(kMaxListTextBytes + 1, ' ')).status();
  EXPECT_EQ(ReasonOf(status), reason::kLimitExceeded);
  EXPECT_EQ(status.message(), "order_by has 4097 bytes; at most 4096 are taken");
}

}  // namespace
}  // namespace everfold
