#include "tools/import_olist/oddities.h"

#include "absl/strings/str_format.h"
#include "tools/import/progress_bar.h"

namespace everfold {
namespace {

using enum shop::v1::OrderStatus;
using enum shop::v1::PaymentMethod;

// Sums that do not overflow: the data set's amounts are bounded, and so are an order's rows.
bool PaymentsDiffer(const OlistOrder& order) {
  std::int64_t owed = 0;
  for (const OlistItem& item : order.items) owed += item.price_minor + item.freight_minor;
  std::int64_t paid = 0;
  for (const OlistPayment& payment : order.payments) paid += payment.amount_minor;
  return owed != paid;
}

bool ShippedBeforeApproval(const OlistOrder& order) {
  if (!order.shipped_at.has_value()) return false;
  return !order.approved_at.has_value() || *order.shipped_at < *order.approved_at;
}

// Ended orders may have taken any step before.
bool HasDateBeyondStatus(const OlistOrder& order) {
  return (order.approved_at.has_value() && order.status < ORDER_STATUS_APPROVED) ||
         (order.shipped_at.has_value() && order.status < ORDER_STATUS_SHIPPED) ||
         (order.delivered_at.has_value() && order.status < ORDER_STATUS_DELIVERED);
}

bool HasUnknownMethod(const OlistOrder& order) {
  for (const OlistPayment& payment : order.payments) {
    if (payment.method == PAYMENT_METHOD_NOT_RECORDED) return true;
  }
  return false;
}

}  // namespace

const char* TextOf(Oddity oddity) {
  switch (oddity) {
    case Oddity::kNoItems:
      return "without items";
    case Oddity::kPaymentsDiffer:
      return "payments differ from items and freight";
    case Oddity::kShippedBeforeApproval:
      return "handed to the carrier before approval";
    case Oddity::kCanceledYetDelivered:
      return "canceled yet delivered";
    case Oddity::kDeliveredWithoutDate:
      return "delivered without a date of delivery";
    case Oddity::kDateBeyondStatus:
      return "a date of a step that the status denies, left out";
    case Oddity::kPersonUnknown:
      return "customer is not among the customers";
    case Oddity::kMethodUnknown:
      return "method of payment is not recorded";
  }
  return "";
}

std::vector<Oddity> OdditiesOf(const OlistOrder& order) {
  std::vector<Oddity> oddities;
  const auto add_if = [&oddities](bool is_so, Oddity oddity) {
    if (is_so) oddities.push_back(oddity);
  };
  add_if(order.items.empty(), Oddity::kNoItems);
  add_if(!order.items.empty() && PaymentsDiffer(order), Oddity::kPaymentsDiffer);
  add_if(ShippedBeforeApproval(order), Oddity::kShippedBeforeApproval);
  add_if(order.status == ORDER_STATUS_CANCELED && order.delivered_at.has_value(), Oddity::kCanceledYetDelivered);
  add_if(order.status == ORDER_STATUS_DELIVERED && !order.delivered_at.has_value(), Oddity::kDeliveredWithoutDate);
  add_if(HasDateBeyondStatus(order), Oddity::kDateBeyondStatus);
  add_if(!order.person_is_known, Oddity::kPersonUnknown);
  add_if(HasUnknownMethod(order), Oddity::kMethodUnknown);
  return oddities;
}

void OddityList::Add(const OlistOrder& order) {
  for (const Oddity oddity : OdditiesOf(order)) {
    Kind& kind = kinds_[static_cast<std::size_t>(oddity)];
    if (++kind.count > static_cast<std::int64_t>(kMostListed)) continue;
    kind.first.push_back(absl::StrFormat("%s:%d order %s", kOrdersFile, order.line, order.order_id));
  }
}

std::int64_t OddityList::total() const {
  std::int64_t total = 0;
  for (const Kind& kind : kinds_) total += kind.count;
  return total;
}

void OddityList::Print(std::ostream& out) const {
  out << absl::StrFormat("%s warnings\n", WithThousands(total()));
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    const Kind& kind = kinds_[i];
    if (kind.count == 0) continue;
    out << absl::StrFormat("%7s  %s\n", WithThousands(kind.count), TextOf(static_cast<Oddity>(i)));
    for (const std::string& order : kind.first) out << "           " << order << "\n";
    const std::int64_t more = kind.count - static_cast<std::int64_t>(kind.first.size());
    if (more > 0) out << absl::StrFormat("           and %s more\n", WithThousands(more));
  }
}

}  // namespace everfold
