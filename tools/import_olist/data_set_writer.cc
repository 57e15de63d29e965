#include "tools/import_olist/data_set_writer.h"

#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>

#include "absl/strings/str_format.h"
#include "tools/import/decimal.h"
#include "tools/import_olist/olist_values.h"

namespace everfold {
namespace {

std::string Amount(std::int64_t minor) { return FormatMinorUnits(minor, kFractionDigits); }
std::string Time(const std::optional<absl::Time>& time) { return time.has_value() ? FormatOlistTime(*time) : ""; }

// New for every order, as in the public data.
std::string CustomerIdOf(const OlistOrder& order) { return {order.order_id.rbegin(), order.order_id.rend()}; }

class FileWriter final : public DataSetWriter {
 public:
  explicit FileWriter(const std::string& directory)
      : directory_(directory),
        orders_(directory + "/" + kOrdersFile),
        items_(directory + "/" + kItemsFile),
        payments_(directory + "/" + kPaymentsFile),
        customers_(directory + "/" + kCustomersFile) {
    orders_ << "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,"
               "order_delivered_carrier_date,order_delivered_customer_date,order_estimated_delivery_date\n";
    items_ << "order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value\n";
    payments_ << "order_id,payment_sequential,payment_type,payment_installments,payment_value\n";
    customers_ << "customer_id,customer_unique_id,customer_zip_code_prefix,customer_city,customer_state\n";
  }

  absl::Status status() const {
    if (orders_ && items_ && payments_ && customers_) return absl::OkStatus();
    return absl::InternalError(absl::StrFormat("%s: cannot be written", directory_));
  }

  void Write(const OlistOrder& order) override {
    const std::string customer = CustomerIdOf(order);
    customers_ << absl::StrFormat("%s,%s,,,\n", customer, order.customer_id);
    orders_ << absl::StrFormat("%s,%s,%s,%s,%s,%s,%s,\n", order.order_id, customer, FormatOlistStatus(order.status),
                               Time(order.placed_at), Time(order.approved_at), Time(order.shipped_at),
                               Time(order.delivered_at));
    for (const OlistItem& item : order.items) {
      items_ << absl::StrFormat("%s,%d,%s,%s,,%s,%s\n", order.order_id, item.number, item.product_id, item.seller_id,
                                Amount(item.price_minor), Amount(item.freight_minor));
    }
    for (const OlistPayment& payment : order.payments) {
      payments_ << absl::StrFormat("%s,%d,%s,%d,%s\n", order.order_id, payment.sequential,
                                   FormatOlistMethod(payment.method), payment.installments,
                                   Amount(payment.amount_minor));
    }
  }

  absl::Status Close() override {
    for (std::ofstream* const file : {&orders_, &items_, &payments_, &customers_}) file->close();
    return status();
  }

 private:
  const std::string directory_;
  std::ofstream orders_;
  std::ofstream items_;
  std::ofstream payments_;
  std::ofstream customers_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<DataSetWriter>> DataSetWriter::Open(const std::string& directory) {
  std::error_code ignored;  // what cannot be made cannot be written either
  std::filesystem::create_directories(directory, ignored);
  auto writer = std::make_unique<FileWriter>(directory);
  if (absl::Status status = writer->status(); !status.ok()) return status;
  return writer;
}

}  // namespace everfold
