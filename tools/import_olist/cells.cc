#include "tools/import_olist/cells.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/stream_id.h"
#include "sample-apps/shop/domain/amounts.h"
#include "tools/import/decimal.h"
#include "tools/import_olist/olist_order.h"
#include "tools/import_olist/olist_values.h"

namespace everfold {
namespace {

constexpr std::size_t kMaxOlistIdBytes = 100;
constexpr std::int64_t kMaxNumber = 1000;

absl::Status Bad(const std::string& why) {
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid, why);
}

}  // namespace

std::string Quoted(const std::string& text) {
  constexpr std::size_t kMostShown = 60;
  if (!IsPrintableUtf8(text)) return "a text that is not printable";
  return text.size() <= kMostShown ? "'" + text + "'" : "'" + text.substr(0, kMostShown) + "...'";
}

absl::Status CheckId(const std::string& text, const char* column) {
  if (text.empty()) return Bad(absl::StrFormat("no %s", column));
  if (text.size() > kMaxOlistIdBytes) {
    return Bad(absl::StrFormat("%s has %d bytes, %d are the most", column, text.size(), kMaxOlistIdBytes));
  }
  if (!IsPrintableUtf8(text)) return Bad(absl::StrFormat("%s holds what cannot be printed", column));
  return absl::OkStatus();
}

absl::StatusOr<std::int64_t> ParseNumber(const std::string& text, const char* column, std::int64_t least) {
  std::int64_t number = 0;
  if (absl::SimpleAtoi(text, &number) && number >= least && number <= kMaxNumber) return number;
  return Bad(absl::StrFormat("%s is %s, and not a number from %d to %d", column, Quoted(text), least, kMaxNumber));
}

absl::StatusOr<std::int64_t> ParseAmount(const std::string& text, const char* column) {
  const absl::StatusOr<std::int64_t> amount = ParseMinorUnits(text, kFractionDigits);
  if (!amount.ok()) return Bad(absl::StrFormat("%s is %s, and not an amount", column, Quoted(text)));
  if (*amount < 0) return Bad(absl::StrFormat("%s is %s, below 0", column, text));
  if (*amount > shop::v1::kMostMinor) {
    return Bad(absl::StrFormat("%s is %s, above %s, the most that the shop takes", column, text,
                               FormatMinorUnits(shop::v1::kMostMinor, kFractionDigits)));
  }
  return amount;
}

absl::StatusOr<absl::Time> ParseTime(const std::string& text, const char* column) {
  const absl::StatusOr<absl::Time> time = ParseOlistTime(text);
  if (!time.ok())
    return Bad(absl::StrFormat("%s is %s, %s", column, Quoted(text), std::string(time.status().message())));
  return time;
}

absl::StatusOr<std::optional<absl::Time>> ParseOptionalTime(const std::string& text, const char* column) {
  if (text.empty()) return std::nullopt;
  EVERFOLD_ASSIGN_OR_RETURN(const absl::Time time, ParseTime(text, column));
  return time;
}

}  // namespace everfold
