// The payments of an order platform, as the public "Brazilian E-Commerce" data set of Olist has them: a CSV file whose
// header names order_id, payment_sequential, payment_type and payment_value, among others.
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace everfold {

struct Payment {
  int line = 0;  // in the file
  std::string order_id;
  std::string sequential;  // counts the payments of one order
  std::string method;      // for example "credit_card"
  std::int64_t amount_minor = 0;
  friend bool operator==(const Payment&, const Payment&) = default;
};

// A line that is no payment.
struct BadLine {
  int line = 0;
  std::string why;
  friend bool operator==(const BadLine&, const BadLine&) = default;
};

struct PaymentFile {
  std::vector<Payment> payments;
  std::vector<BadLine> bad_lines;
};

// `name` is the file's, for errors: INVALID_ARGUMENT if the header is not one of payments, INTERNAL for a file that
// cannot be read to its end ("payments.csv:7: cannot be read: Input/output error").
absl::StatusOr<PaymentFile> ReadPayments(std::istream& input, const std::string& name);

}  // namespace everfold
