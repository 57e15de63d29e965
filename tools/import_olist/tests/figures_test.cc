#include "tools/import_olist/figures.h"

#include <gtest/gtest.h>

#include <sstream>

namespace everfold {
namespace {

using namespace shop::v1;  // NOLINT: its enumerators

OrdersByStatus OrdersIn(OrderStatus status, std::int64_t orders) {
  OrdersByStatus row;
  row.set_status(status);
  row.set_orders(orders);
  return row;
}

RevenueByMethod RevenueOf(PaymentMethod method, std::int64_t payments, std::int64_t captured, std::int64_t refunded) {
  RevenueByMethod row;
  row.set_method(method);
  row.set_currency("BRL");
  row.set_payments(payments);
  row.set_captured_minor(captured);
  row.set_refunded_minor(refunded);
  return row;
}

TEST(Figures, ReadAsTwoTables) {
  std::ostringstream text;
  Print({.orders = {OrdersIn(ORDER_STATUS_SHIPPED, 61), OrdersIn(ORDER_STATUS_DELIVERED, 4858)},
         .revenue = {RevenueOf(PAYMENT_METHOD_CREDIT_CARD, 3854, 61'372'991, 5),
                     RevenueOf(PAYMENT_METHOD_VOUCHER, 1, -50, -123'456)}},
        text);
  EXPECT_EQ(text.str(),
            "orders\n"
            "  shipped              61\n"
            "  delivered         4,858\n"
            "  all               4,919\n"
            "\n"
            "payments                              captured           refunded\n"
            "  credit_card       3,854       613,729.91 BRL           0.05 BRL\n"
            "  voucher               1            -0.50 BRL      -1,234.56 BRL\n"
            "  all               3,855\n");
}

}  // namespace
}  // namespace everfold
