#include "tools/import_olist/data_set.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "tools/import_olist/cells.h"
#include "tools/import_olist/olist_values.h"
#include "tools/import_olist/row_file.h"

namespace everfold {
namespace {

constexpr std::size_t kMaxItems = 500;  // the shop's

absl::Status Bad(const std::string& why) {
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid, why);
}

class DataSetReader {
 public:
  explicit DataSetReader(std::string directory) : directory_(std::move(directory)) {}

  absl::StatusOr<DataSet> Read() {
    EVERFOLD_RETURN_IF_ERROR(ReadCustomers());
    EVERFOLD_RETURN_IF_ERROR(ReadOrders());
    customers_ = {};
    EVERFOLD_RETURN_IF_ERROR(ReadItems());
    EVERFOLD_RETURN_IF_ERROR(ReadPayments());
    SortParts();
    return std::move(data_);
  }

 private:
  using Take = absl::Status (DataSetReader::*)(const Row&);

  absl::Status ReadFile(const char* file, const std::vector<std::string>& columns, Take take) {
    return ReadRows(
        directory_ + "/" + file, columns, [this, take](const Row& row) { return (this->*take)(row); },
        [this, file](const Row& row, const std::string& why) {
          if (file == kOrdersFile && !orders_.contains(row.fields[0])) bad_orders_.insert(row.fields[0]);
          data_.bad_rows.push_back({file, row.line, why});
        });
  }

  absl::Status ReadCustomers() {
    return ReadFile(kCustomersFile, {"customer_id", "customer_unique_id"}, &DataSetReader::TakeCustomer);
  }
  absl::Status ReadOrders() {
    return ReadFile(kOrdersFile,
                    {"order_id", "customer_id", "order_status", "order_purchase_timestamp", "order_approved_at",
                     "order_delivered_carrier_date", "order_delivered_customer_date"},
                    &DataSetReader::TakeOrder);
  }
  absl::Status ReadItems() {
    return ReadFile(kItemsFile, {"order_id", "order_item_id", "product_id", "seller_id", "price", "freight_value"},
                    &DataSetReader::TakeItem);
  }
  absl::Status ReadPayments() {
    return ReadFile(kPaymentsFile,
                    {"order_id", "payment_sequential", "payment_type", "payment_installments", "payment_value"},
                    &DataSetReader::TakePayment);
  }

  absl::Status TakeCustomer(const Row& row) {
    EVERFOLD_RETURN_IF_ERROR(CheckId(row.fields[0], "customer_id"));
    EVERFOLD_RETURN_IF_ERROR(CheckId(row.fields[1], "customer_unique_id"));
    if (customers_.emplace(row.fields[0], row.fields[1]).second) return absl::OkStatus();
    return Bad(absl::StrFormat("customer %s is there already", row.fields[0]));
  }

  absl::Status TakeOrder(const Row& row) {
    EVERFOLD_RETURN_IF_ERROR(CheckId(row.fields[0], "order_id"));
    if (const auto known = orders_.find(row.fields[0]); known != orders_.end()) {
      return Bad(
          absl::StrFormat("order %s is there already, on line %d", row.fields[0], data_.orders[known->second].line));
    }
    EVERFOLD_ASSIGN_OR_RETURN(OlistOrder order, ToOrder(row));
    orders_.emplace(order.order_id, data_.orders.size());
    data_.orders.push_back(std::move(order));
    return absl::OkStatus();
  }

  absl::StatusOr<OlistOrder> ToOrder(const Row& row) const {
    OlistOrder order{.line = row.line, .order_id = row.fields[0], .customer_id = row.fields[1]};
    EVERFOLD_RETURN_IF_ERROR(CheckId(order.customer_id, "customer_id"));
    const auto person = customers_.find(order.customer_id);
    order.person_is_known = person != customers_.end();
    if (order.person_is_known) order.customer_id = person->second;
    const std::optional<shop::v1::OrderStatus> status = ParseOlistStatus(row.fields[2]);
    if (!status.has_value()) return Bad(absl::StrFormat("order_status is %s, which is none", Quoted(row.fields[2])));
    order.status = *status;
    EVERFOLD_ASSIGN_OR_RETURN(order.placed_at, ParseTime(row.fields[3], "order_purchase_timestamp"));
    EVERFOLD_ASSIGN_OR_RETURN(order.approved_at, ParseOptionalTime(row.fields[4], "order_approved_at"));
    EVERFOLD_ASSIGN_OR_RETURN(order.shipped_at, ParseOptionalTime(row.fields[5], "order_delivered_carrier_date"));
    EVERFOLD_ASSIGN_OR_RETURN(order.delivered_at, ParseOptionalTime(row.fields[6], "order_delivered_customer_date"));
    return order;
  }

  absl::Status TakeItem(const Row& row) {
    OlistItem item{.line = row.line, .product_id = row.fields[2], .seller_id = row.fields[3]};
    EVERFOLD_ASSIGN_OR_RETURN(item.number, ParseNumber(row.fields[1], "order_item_id", 1));
    EVERFOLD_RETURN_IF_ERROR(CheckId(item.product_id, "product_id"));
    EVERFOLD_RETURN_IF_ERROR(CheckId(item.seller_id, "seller_id"));
    EVERFOLD_ASSIGN_OR_RETURN(item.price_minor, ParseAmount(row.fields[4], "price"));
    EVERFOLD_ASSIGN_OR_RETURN(item.freight_minor, ParseAmount(row.fields[5], "freight_value"));
    EVERFOLD_ASSIGN_OR_RETURN(OlistOrder* const order, FindOrder(row.fields[0]));
    if (order == nullptr) return absl::OkStatus();
    if (order->items.size() == kMaxItems) return Bad(absl::StrFormat("its order has %d items already", kMaxItems));
    for (const OlistItem& other : order->items) {
      if (other.number == item.number) return AlreadyThere("item", item.number, *order, other.line);
    }
    order->items.push_back(std::move(item));
    return absl::OkStatus();
  }

  absl::Status TakePayment(const Row& row) {
    OlistPayment payment{.line = row.line};
    EVERFOLD_ASSIGN_OR_RETURN(payment.sequential, ParseNumber(row.fields[1], "payment_sequential", 1));
    const std::optional<shop::v1::PaymentMethod> method = ParseOlistMethod(row.fields[2]);
    if (!method.has_value()) return Bad(absl::StrFormat("payment_type is %s, which is none", Quoted(row.fields[2])));
    payment.method = *method;
    EVERFOLD_ASSIGN_OR_RETURN(payment.installments, ParseNumber(row.fields[3], "payment_installments", 0));
    EVERFOLD_ASSIGN_OR_RETURN(payment.amount_minor, ParseAmount(row.fields[4], "payment_value"));
    EVERFOLD_ASSIGN_OR_RETURN(OlistOrder* const order, FindOrder(row.fields[0]));
    if (order == nullptr) return absl::OkStatus();
    for (const OlistPayment& other : order->payments) {
      if (other.sequential == payment.sequential) return AlreadyThere("payment", other.sequential, *order, other.line);
    }
    order->payments.push_back(payment);
    return absl::OkStatus();
  }

  // Null for an order that is a bad row: the row at hand is counted, and left out with it.
  absl::StatusOr<OlistOrder*> FindOrder(const std::string& order_id) {
    if (const auto found = orders_.find(order_id); found != orders_.end()) return &data_.orders[found->second];
    EVERFOLD_RETURN_IF_ERROR(CheckId(order_id, "order_id"));
    if (!bad_orders_.contains(order_id)) return Bad(absl::StrFormat("there is no order %s", order_id));
    ++data_.rows_of_bad_orders;
    return nullptr;
  }

  static absl::Status AlreadyThere(const char* part, std::int64_t number, const OlistOrder& order, int line) {
    return Bad(absl::StrFormat("%s %d of order %s is there already, on line %d", part, number, order.order_id, line));
  }

  // The files have them in any order.
  void SortParts() {
    for (OlistOrder& order : data_.orders) {
      std::sort(order.items.begin(), order.items.end(),
                [](const OlistItem& a, const OlistItem& b) { return a.number < b.number; });
      std::sort(order.payments.begin(), order.payments.end(),
                [](const OlistPayment& a, const OlistPayment& b) { return a.sequential < b.sequential; });
    }
  }

  const std::string directory_;
  DataSet data_;
  absl::flat_hash_map<std::string, std::string> customers_;  // customer_id -> person
  absl::flat_hash_map<std::string, std::size_t> orders_;     // order_id -> index
  absl::flat_hash_set<std::string> bad_orders_;
};

}  // namespace

absl::StatusOr<DataSet> ReadDataSet(const std::string& directory) { return DataSetReader(directory).Read(); }

}  // namespace everfold
