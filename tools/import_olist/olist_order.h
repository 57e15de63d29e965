// An order as the public "Brazilian E-Commerce" data set of Olist tells of it, in four files:
//
//   olist_orders_dataset.csv          one row an order: its customer, its status, and when it took which step
//   olist_order_items_dataset.csv     one row a piece
//   olist_order_payments_dataset.csv  one row a part of what was paid
//   olist_customers_dataset.csv       which person a customer is: customer_id is new for every order
//
// Times are UTC, amounts are in the Brazilian real.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "shop/v1/order.pb.h"
#include "shop/v1/payment.pb.h"

namespace everfold {

inline constexpr char kOrdersFile[] = "olist_orders_dataset.csv";
inline constexpr char kItemsFile[] = "olist_order_items_dataset.csv";
inline constexpr char kPaymentsFile[] = "olist_order_payments_dataset.csv";
inline constexpr char kCustomersFile[] = "olist_customers_dataset.csv";

inline constexpr char kCurrency[] = "BRL";
inline constexpr int kFractionDigits = 2;

struct OlistItem {
  int line = 0;  // in its file
  std::int64_t number = 0;
  std::string product_id;
  std::string seller_id;
  std::int64_t price_minor = 0;
  std::int64_t freight_minor = 0;
  friend bool operator==(const OlistItem&, const OlistItem&) = default;
};

struct OlistPayment {
  int line = 0;  // in its file
  std::int64_t sequential = 0;
  shop::v1::PaymentMethod method = shop::v1::PAYMENT_METHOD_UNSPECIFIED;
  std::int64_t installments = 0;
  std::int64_t amount_minor = 0;
  friend bool operator==(const OlistPayment&, const OlistPayment&) = default;
};

struct OlistOrder {
  int line = 0;  // in its file
  std::string order_id;
  std::string customer_id;  // the person; of this order alone where the person is not known
  bool person_is_known = true;
  shop::v1::OrderStatus status = shop::v1::ORDER_STATUS_UNSPECIFIED;
  absl::Time placed_at = {};
  std::optional<absl::Time> approved_at = {};
  std::optional<absl::Time> shipped_at = {};  // handed to the carrier
  std::optional<absl::Time> delivered_at = {};
  std::vector<OlistItem> items = {};
  std::vector<OlistPayment> payments = {};
  friend bool operator==(const OlistOrder&, const OlistOrder&) = default;
};

}  // namespace everfold
