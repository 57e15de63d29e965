#include "tools/import_olist/olist_values.h"

#include <array>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"

namespace everfold {
namespace {

using enum shop::v1::OrderStatus;
using enum shop::v1::PaymentMethod;
using shop::v1::OrderStatus;
using shop::v1::PaymentMethod;

constexpr std::array<const char*, 4> kTimeFormats = {"%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M:%S", "%m/%d/%Y %H:%M:%S",
                                                     "%Y-%m-%d %H:%M"};

constexpr std::array<std::pair<const char*, OrderStatus>, 8> kStatuses = {{{"created", ORDER_STATUS_PLACED},
                                                                           {"approved", ORDER_STATUS_APPROVED},
                                                                           {"invoiced", ORDER_STATUS_INVOICED},
                                                                           {"processing", ORDER_STATUS_PROCESSING},
                                                                           {"shipped", ORDER_STATUS_SHIPPED},
                                                                           {"delivered", ORDER_STATUS_DELIVERED},
                                                                           {"canceled", ORDER_STATUS_CANCELED},
                                                                           {"unavailable", ORDER_STATUS_UNAVAILABLE}}};

constexpr std::array<std::pair<const char*, PaymentMethod>, 5> kMethods = {
    {{"credit_card", PAYMENT_METHOD_CREDIT_CARD},
     {"boleto", PAYMENT_METHOD_BOLETO},
     {"voucher", PAYMENT_METHOD_VOUCHER},
     {"debit_card", PAYMENT_METHOD_DEBIT_CARD},
     {"not_defined", PAYMENT_METHOD_NOT_RECORDED}}};

template <class Words>
auto ValueOf(const Words& words, const std::string& word) -> std::optional<decltype(words[0].second)> {
  for (const auto& [known, value] : words) {
    if (word == known) return value;
  }
  return std::nullopt;
}

template <class Words, class Value>
std::string WordOf(const Words& words, Value value) {
  for (const auto& [word, known] : words) {
    if (value == known) return word;
  }
  return "";
}

// Also keeps out "infinite-future", which absl takes for a time.
bool IsInRange(absl::Time time) {
  return time >= absl::UnixEpoch() && time < absl::FromCivil(absl::CivilYear(2100), absl::UTCTimeZone());
}

}  // namespace

absl::StatusOr<absl::Time> ParseOlistTime(const std::string& text) {
  absl::Time time;
  for (const char* format : kTimeFormats) {
    if (!absl::ParseTime(format, text, absl::UTCTimeZone(), &time, nullptr)) continue;
    if (IsInRange(time)) return time;
  }
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
               "no time like 10/2/2017 10:56 or 2017-10-02 10:56:33");
}

std::string FormatOlistTime(absl::Time time) { return absl::FormatTime(kTimeFormats[1], time, absl::UTCTimeZone()); }

std::optional<OrderStatus> ParseOlistStatus(const std::string& word) { return ValueOf(kStatuses, word); }
std::string FormatOlistStatus(OrderStatus status) { return WordOf(kStatuses, status); }
std::optional<PaymentMethod> ParseOlistMethod(const std::string& word) { return ValueOf(kMethods, word); }
std::string FormatOlistMethod(PaymentMethod method) { return WordOf(kMethods, method); }

}  // namespace everfold
