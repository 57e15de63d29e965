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

std::string TextOf(const absl::Status& status) { return {status.message().data(), status.message().size()}; }

absl::Status Unreadable(const std::string& name, const CsvReader& reader, const absl::Status& status) {
  return absl::InternalError(absl::StrFormat("%s:%d: %s", name, reader.line(), TextOf(status)));
}

absl::StatusOr<std::vector<std::size_t>> ReadHeader(CsvReader& reader, std::size_t& size) {
  std::vector<std::string> header;
  EVERFOLD_ASSIGN_OR_RETURN(const bool has_header, reader.Next(header));
  if (!has_header) return Bad("the file is empty");
  size = header.size();
  return FindColumns(header, {"order_id", "payment_sequential", "payment_type", "payment_value"});
}

}  // namespace

absl::StatusOr<PaymentFile> ReadPayments(std::istream& input, const std::string& name) {
  CsvReader reader(input);
  std::size_t header_size = 0;
  const absl::StatusOr<std::vector<std::size_t>> columns = ReadHeader(reader, header_size);
  if (absl::IsInternal(columns.status())) return Unreadable(name, reader, columns.status());
  if (!columns.ok()) return Bad(absl::StrFormat("%s: %s", name, TextOf(columns.status())));

  PaymentFile file;
  std::vector<std::string> fields;
  while (true) {
    const absl::StatusOr<bool> more = reader.Next(fields);
    if (more.ok() && !*more) return file;
    if (absl::IsInternal(more.status())) return Unreadable(name, reader, more.status());
    absl::StatusOr<Payment> payment =
        more.ok() ? ToPayment(fields, header_size, *columns) : absl::StatusOr<Payment>(more.status());
    if (payment.ok()) {
      payment->line = reader.line();
      file.payments.push_back(*std::move(payment));
    } else {
      file.bad_lines.push_back({reader.line(), TextOf(payment.status())});
    }
  }
}

}  // namespace everfold
