// How the data set spells times, statuses and methods of payment.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "shop/v1/order.pb.h"
#include "shop/v1/payment.pb.h"

namespace everfold {

// "10/2/2017 10:56" (month first) and "2017-10-02 10:56:33", seconds or not, from 1970 to 2099.
// INVALID_ARGUMENT for anything else.
absl::StatusOr<absl::Time> ParseOlistTime(const std::string& text);
// "2017-10-02 10:56:33".
std::string FormatOlistTime(absl::Time time);

// Of "delivered"; nothing for a word that is no status. A new order is called "created".
std::optional<shop::v1::OrderStatus> ParseOlistStatus(const std::string& word);
std::string FormatOlistStatus(shop::v1::OrderStatus status);

// Of "credit_card"; nothing for a word that is no method. "not_defined" is one.
std::optional<shop::v1::PaymentMethod> ParseOlistMethod(const std::string& word);
std::string FormatOlistMethod(shop::v1::PaymentMethod method);

}  // namespace everfold
