#include "tools/deposit_payments/payment_file.h"

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "tools/import/csv_reader.h"
#include "tools/import/decimal.h"

namespace everfold {
namespace {

constexpr int kFractionDigits = 2;  // of the Brazilian real

absl::Status Bad(const std::string& why) {
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid, why);
}

// `columns`: where order_id, payment_sequential, payment_type and payment_value stand.
absl::StatusOr<Payment> ToPayment(const std::vector<std::string>& fields, std::size_t header_size,
                                  const std::vector<std::size_t>& columns) {
  if (fields.size() != header_size) {
    return Bad(absl::StrFormat("%d fields, the header has %d", fields.size(), header_size));
  }
  Payment payment{.order_id = fields[columns[0]], .sequential = fields[columns[1]], .method = fields[columns[2]]};
  if (payment.order_id.empty() || payment.sequential.empty()) return Bad("no order_id or payment_sequential");
  if (payment.method.empty()) return Bad("no payment_type");
  EVERFOLD_ASSIGN_OR_RETURN(payment.amount_minor, ParseMinorUnits(fields[columns[3]], kFractionDigits));
  return payment;
}

}  // namespace

absl::StatusOr<PaymentFile> ReadPayments(std::istream& input) {
  CsvReader reader(input);
  std::vector<std::string> header;
  EVERFOLD_ASSIGN_OR_RETURN(const bool has_header, reader.Next(header));
  if (!has_header) return Bad("the file is empty");
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<std::size_t> columns,
                            FindColumns(header, {"order_id", "payment_sequential", "payment_type", "payment_value"}));

  PaymentFile file;
  std::vector<std::string> fields;
  while (true) {
    const absl::StatusOr<bool> more = reader.Next(fields);
    if (more.ok() && !*more) return file;
    absl::StatusOr<Payment> payment =
        more.ok() ? ToPayment(fields, header.size(), columns) : absl::StatusOr<Payment>(more.status());
    if (payment.ok()) {
      payment->line = reader.line();
      file.payments.push_back(*std::move(payment));
    } else {
      file.bad_lines.push_back(
          {reader.line(), std::string(payment.status().message().data(), payment.status().message().size())});
    }
  }
}

}  // namespace everfold
