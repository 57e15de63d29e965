#include "tools/import_olist/rejections.h"

#include <gtest/gtest.h>

namespace everfold {
namespace {

OlistOrder OrderOn(int line) {
  OlistOrder order;
  order.line = line;
  order.items.resize(2);
  order.payments.resize(1);
  return order;
}

TEST(Rejections, BeginWithTheBadRows) {
  EXPECT_TRUE(Rejections(DataSet()).empty());
  EXPECT_EQ(Rejections(DataSet()).Text(), "0 rejected rows");
  const Rejections bad({.orders = {}, .bad_rows = {{kOrdersFile, 3, "bad"}}, .rows_of_bad_orders = 2});
  EXPECT_FALSE(bad.empty());
  EXPECT_EQ(bad.Text(), "1 rejected rows, and 2 rows of their orders");
}

TEST(Rejections, CountARowOnce) {
  Rejections rejections{DataSet()};
  rejections.AddRow(kOrdersFile, 3);
  rejections.AddRow(kOrdersFile, 3);  // two steps of one row
  rejections.AddRow(kPaymentsFile, 3);
  EXPECT_EQ(rejections.Text(), "2 rejected rows");
}

TEST(Rejections, CountTheRowsOfAnOrderThatIsLeftOut) {
  Rejections rejections{DataSet()};
  rejections.AddRow(kOrdersFile, 3);
  rejections.AddOrder(OrderOn(3));
  EXPECT_EQ(rejections.Text(), "1 rejected rows, and 3 rows of their orders");
  EXPECT_TRUE(rejections.Has(OrderOn(3)));
  EXPECT_FALSE(rejections.Has(OrderOn(4)));
}

}  // namespace
}  // namespace everfold
