#include "tools/import_olist/data_set_writer.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "tools/import/decimal.h"
#include "tools/import_olist/olist_values.h"

namespace everfold {
namespace {

std::string Amount(std::int64_t minor) { return FormatMinorUnits(minor, kFractionDigits); }
std::string Time(const std::optional<absl::Time>& time) { return time.has_value() ? FormatOlistTime(*time) : ""; }

// New for every order, as in the public data.
std::string CustomerIdOf(const OlistOrder& order) { return {order.order_id.rbegin(), order.order_id.rend()}; }

// A file, and why it cannot be written.
class Output {
 public:
  explicit Output(const std::string& path) : path_(path), stream_(path) { Check(); }

  void Write(const std::string& text) {
    stream_ << text;
    Check();
  }
  void Close() {
    stream_.close();
    Check();
  }
  const absl::Status& status() const { return status_; }

 private:
  // The system's error is of the call that was the first to fail.
  void Check() {
    if (stream_ || !status_.ok()) return;
    status_ = absl::InternalError(
        absl::StrFormat("%s: cannot be written: %s", path_, std::generic_category().message(errno)));
  }

  const std::string path_;
  std::ofstream stream_;
  absl::Status status_;
};

class FileWriter final : public DataSetWriter {
 public:
  explicit FileWriter(const std::string& directory)
      : orders_(directory + "/" + kOrdersFile),
        items_(directory + "/" + kItemsFile),
        payments_(directory + "/" + kPaymentsFile),
        customers_(directory + "/" + kCustomersFile) {
    orders_.Write(
        "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,"
        "order_delivered_carrier_date,order_delivered_customer_date,order_estimated_delivery_date\n");
    items_.Write("order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value\n");
    payments_.Write("order_id,payment_sequential,payment_type,payment_installments,payment_value\n");
    customers_.Write("customer_id,customer_unique_id,customer_zip_code_prefix,customer_city,customer_state\n");
  }

  absl::Status status() const {
    for (const Output* const file : {&orders_, &items_, &payments_, &customers_}) {
      if (!file->status().ok()) return file->status();
    }
    return absl::OkStatus();
  }

  void Write(const OlistOrder& order) override {
    const std::string customer = CustomerIdOf(order);
    customers_.Write(absl::StrFormat("%s,%s,,,\n", customer, order.customer_id));
    orders_.Write(absl::StrFormat("%s,%s,%s,%s,%s,%s,%s,\n", order.order_id, customer, FormatOlistStatus(order.status),
                                  Time(order.placed_at), Time(order.approved_at), Time(order.shipped_at),
                                  Time(order.delivered_at)));
    for (const OlistItem& item : order.items) {
      items_.Write(absl::StrFormat("%s,%d,%s,%s,,%s,%s\n", order.order_id, item.number, item.product_id, item.seller_id,
                                   Amount(item.price_minor), Amount(item.freight_minor)));
    }
    for (const OlistPayment& payment : order.payments) {
      payments_.Write(absl::StrFormat("%s,%d,%s,%d,%s\n", order.order_id, payment.sequential,
                                      FormatOlistMethod(payment.method), payment.installments,
                                      Amount(payment.amount_minor)));
    }
  }

  absl::Status Close() override {
    for (Output* const file : {&orders_, &items_, &payments_, &customers_}) file->Close();
    return status();
  }

 private:
  Output orders_;
  Output items_;
  Output payments_;
  Output customers_;
};

absl::Status CheckNoneExists(const std::string& directory) {
  for (const char* const file : {kOrdersFile, kItemsFile, kPaymentsFile, kCustomersFile}) {
    std::error_code ignored;  // what cannot be seen cannot be written either
    if (!std::filesystem::exists(directory + "/" + file, ignored)) continue;
    return absl::AlreadyExistsError(absl::StrFormat("%s holds %s already", directory, file));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<DataSetWriter>> DataSetWriter::Open(const std::string& directory,
                                                                   ExistingFiles existing) {
  if (existing == ExistingFiles::kKept) EVERFOLD_RETURN_IF_ERROR(CheckNoneExists(directory));
  std::error_code ignored;  // what cannot be made cannot be written either
  std::filesystem::create_directories(directory, ignored);
  auto writer = std::make_unique<FileWriter>(directory);
  if (absl::Status status = writer->status(); !status.ok()) return status;
  return writer;
}

}  // namespace everfold
