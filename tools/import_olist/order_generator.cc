#include "tools/import_olist/order_generator.h"

#include <algorithm>
#include <array>

#include "everfold/base/digest.h"

namespace everfold {
namespace {

using enum shop::v1::OrderStatus;
using enum shop::v1::PaymentMethod;
using shop::v1::OrderStatus;
using shop::v1::PaymentMethod;

constexpr std::int64_t kProducts = 3000;
constexpr std::int64_t kSellers = 300;
constexpr absl::Duration kTrade = absl::Hours(24 * 730);

absl::Time Opening() { return absl::FromCivil(absl::CivilDay(2016, 9, 15), absl::UTCTimeZone()); }

// The id of the n-th thing of a kind: the same in every run, whatever the seed.
std::string IdOf(std::uint64_t kind, std::int64_t number) {
  return HexEncode(SeededRandom(kind << 48 | static_cast<std::uint64_t>(number)).Bytes(16));
}
enum Kind : std::uint64_t { kProduct = 1, kSeller = 2, kPerson = 3 };

template <class Value, std::size_t n>
using Shares = std::array<std::pair<std::uint64_t, Value>, n>;  // of 1000

template <class Value, std::size_t n>
Value Draw(const Shares<Value, n>& shares, RandomSource& random) {
  std::uint64_t left = random.Below(1000);
  for (const auto& [share, value] : shares) {
    if (left < share) return value;
    left -= share;
  }
  return shares.back().second;
}

constexpr Shares<OrderStatus, 8> kStatuses = {{{970, ORDER_STATUS_DELIVERED},
                                               {12, ORDER_STATUS_SHIPPED},
                                               {5, ORDER_STATUS_CANCELED},
                                               {5, ORDER_STATUS_UNAVAILABLE},
                                               {4, ORDER_STATUS_PROCESSING},
                                               {2, ORDER_STATUS_INVOICED},
                                               {1, ORDER_STATUS_APPROVED},
                                               {1, ORDER_STATUS_PLACED}}};
constexpr Shares<std::int64_t, 5> kItemCounts = {{{900, 1}, {75, 2}, {13, 3}, {7, 4}, {5, 6}}};
constexpr Shares<PaymentMethod, 4> kMethods = {{{765, PAYMENT_METHOD_CREDIT_CARD},
                                                {200, PAYMENT_METHOD_BOLETO},
                                                {20, PAYMENT_METHOD_VOUCHER},
                                                {15, PAYMENT_METHOD_DEBIT_CARD}}};
constexpr Shares<std::int64_t, 6> kInstallments = {{{500, 1}, {120, 2}, {110, 3}, {90, 4}, {100, 8}, {80, 10}}};

}  // namespace

OlistOrder OrderGenerator::Next() {
  OlistOrder order;
  order.order_id = NewId();
  order.customer_id = Customer();
  order.status = Draw(kStatuses, random_);
  order.placed_at = PlacedAt();
  AddDates(order);
  AddItems(order);
  AddPayments(order);
  AddOddity(order);
  ++made_;
  return order;
}

std::int64_t OrderGenerator::Between(std::int64_t least, std::int64_t most) {
  return least + static_cast<std::int64_t>(random_.Below(static_cast<std::uint64_t>(most - least + 1)));
}

absl::Duration OrderGenerator::Hours(std::int64_t least, std::int64_t most) {
  return absl::Seconds(Between(least * 3600, most * 3600));
}

std::string OrderGenerator::NewId() { return HexEncode(random_.Bytes(16)); }

absl::Time OrderGenerator::PlacedAt() {
  const absl::Duration slot = kTrade / std::max<std::int64_t>(options_.orders, 1);
  const absl::Time at = Opening() + slot * made_ + slot * Between(0, 999) / 1000;
  return absl::FromUnixSeconds(absl::ToUnixSeconds(at));
}

// One in 30 has been here before.
std::string OrderGenerator::Customer() { return IdOf(kPerson, made_ > 0 && OneIn(30) ? Between(0, made_ - 1) : made_); }

void OrderGenerator::AddDates(OlistOrder& order) {
  const bool ended = order.status == ORDER_STATUS_CANCELED || order.status == ORDER_STATUS_UNAVAILABLE;
  const OrderStatus reached = ended ? ORDER_STATUS_APPROVED : order.status;
  if (reached >= ORDER_STATUS_APPROVED) order.approved_at = order.placed_at + (OneIn(4) ? Hours(8, 48) : Hours(0, 1));
  if (reached >= ORDER_STATUS_SHIPPED) order.shipped_at = *order.approved_at + Hours(12, 120);
  if (reached >= ORDER_STATUS_DELIVERED) order.delivered_at = *order.shipped_at + Hours(48, 480);
}

void OrderGenerator::AddItems(OlistOrder& order) {
  if (order.status == ORDER_STATUS_UNAVAILABLE || (order.status == ORDER_STATUS_CANCELED && OneIn(3))) return;
  const std::int64_t count = Draw(kItemCounts, random_);
  for (std::int64_t number = 1; number <= count; ++number) order.items.push_back(Item(number));
}

// The lower a product's number, the more often it is bought. Its price follows from the number, and its seller too.
OlistItem OrderGenerator::Item(std::int64_t number) {
  const std::int64_t product = std::min(Between(0, kProducts - 1), Between(0, kProducts - 1));
  const std::int64_t rank = product * 7919 % 1000;
  return {.number = number,
          .product_id = IdOf(kProduct, product),
          .seller_id = IdOf(kSeller, product % kSellers),
          .price_minor = 990 + rank * rank * rank / 15'000,
          .freight_minor = Between(780, 3500)};
}

void OrderGenerator::AddPayments(OlistOrder& order) {
  std::int64_t owed = 0;
  for (const OlistItem& item : order.items) owed += item.price_minor + item.freight_minor;
  if (owed == 0) return;
  const bool with_voucher = OneIn(40);
  const std::int64_t voucher = with_voucher ? Between(1, owed - 1) : 0;
  const PaymentMethod method = with_voucher ? PAYMENT_METHOD_CREDIT_CARD : Draw(kMethods, random_);
  order.payments.push_back(Payment(1, method, owed - voucher));
  if (with_voucher) order.payments.push_back(Payment(2, PAYMENT_METHOD_VOUCHER, voucher));
}

OlistPayment OrderGenerator::Payment(std::int64_t sequential, PaymentMethod method, std::int64_t amount_minor) {
  return {.sequential = sequential,
          .method = method,
          .installments = method == PAYMENT_METHOD_CREDIT_CARD ? Draw(kInstallments, random_) : 1,
          .amount_minor = amount_minor};
}

// Some of each kind that real orders show.
void OrderGenerator::AddOddity(OlistOrder& order) {
  if (!order.payments.empty() && OneIn(200)) order.payments[0].amount_minor += Between(1, 500);
  if (order.shipped_at.has_value() && OneIn(65)) order.approved_at = *order.shipped_at + Hours(1, 10);
  if (order.status == ORDER_STATUS_DELIVERED && OneIn(5000)) order.delivered_at.reset();
  if (order.status == ORDER_STATUS_DELIVERED && order.delivered_at.has_value() && OneIn(5000)) {
    order.status = ORDER_STATUS_CANCELED;
  }
}

}  // namespace everfold
