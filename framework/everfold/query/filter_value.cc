#include "everfold/query/filter_value.h"

#include <charconv>
#include <cmath>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "everfold/base/timestamp.h"
#include "everfold/event/stream_id.h"
#include "everfold/projection/column_values.h"
#include "google/protobuf/descriptor.h"

namespace everfold {
namespace {

absl::Status Unfit(const Column& column, const FilterLiteral& literal, const char* expected) {
  return absl::InvalidArgumentError(
      absl::StrFormat("%s is no value of %s; write %s", ShownText(literal.text), column.field_path(), expected));
}

// True if all of the text is a number in base 10.
template <class T>
bool Parse(const std::string& text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

absl::StatusOr<ColumnValue> IntegerOf(const Column& column, const FilterLiteral& literal) {
  std::int64_t number = 0;
  if (!literal.quoted && Parse(literal.text, number)) return number;
  return Unfit(column, literal, "a whole number of at most 64 bits, without quotes");
}

absl::StatusOr<ColumnValue> BoolOf(const Column& column, const FilterLiteral& literal) {
  if (!literal.quoted && literal.text == "true") return std::int64_t{1};
  if (!literal.quoted && literal.text == "false") return std::int64_t{0};
  return Unfit(column, literal, "true or false");
}

absl::StatusOr<ColumnValue> RealOf(const Column& column, const FilterLiteral& literal) {
  double number = 0;
  if (!literal.quoted && absl::SimpleAtod(literal.text, &number) && std::isfinite(number)) return number;
  return Unfit(column, literal, "a number, without quotes");
}

// As the row has it: 0.1 of a float is another number than 0.1 of a double.
absl::StatusOr<ColumnValue> FloatOf(const Column& column, const FilterLiteral& literal) {
  float number = 0;
  if (!literal.quoted && absl::SimpleAtof(literal.text, &number) && std::isfinite(number)) return double{number};
  return Unfit(column, literal, "a number that a float can hold, without quotes");
}

absl::StatusOr<ColumnValue> EnumValueOf(const Column& column, const FilterLiteral& literal) {
  const google::protobuf::EnumDescriptor& type = *column.enumeration;
  if (!literal.quoted && type.FindValueByName(literal.text) != nullptr) return literal.text;
  std::int32_t number = 0;
  const bool unknown = !literal.quoted && Parse(literal.text, number) && type.FindValueByNumber(number) == nullptr;
  if (unknown) return std::to_string(number);
  return Unfit(column, literal, absl::StrFormat("the name of a value of %s, without quotes", type.full_name()).c_str());
}

// Digits of a second beyond the ninth would be lost.
bool IsFinerThanNanoseconds(const std::string& text) {
  const std::size_t point = text.find('.');
  if (point == std::string::npos) return false;
  const std::size_t end = text.find_first_not_of("0123456789", point + 1);
  return (end == std::string::npos ? text.size() : end) - point - 1 > 9;
}

absl::StatusOr<ColumnValue> TimeValueOf(const Column& column, const FilterLiteral& literal) {
  absl::Time time;
  std::string error;
  const bool parsed = absl::ParseTime(absl::RFC3339_full, literal.text, &time, &error);
  // The parser takes infinities, years of any length and some space, too.
  const bool plain = literal.text.size() >= 20 && literal.text[4] == '-' && literal.text[10] == 'T' &&
                     literal.text.find(' ') == std::string::npos;
  if (parsed && plain && !IsFinerThanNanoseconds(literal.text)) {
    if (std::optional<std::string> text = TimestampText(TimestampOf(time)); text.has_value()) return *std::move(text);
  }
  return Unfit(column, literal, "a time as RFC 3339 has it, such as \"2026-01-31T08:00:00Z\"");
}

absl::StatusOr<ColumnValue> BytesOf(const Column& column, const FilterLiteral& literal) {
  std::string bytes;
  if (literal.quoted && absl::Base64Unescape(literal.text, &bytes)) return bytes;
  return Unfit(column, literal, "bytes in base64, between quotes");
}

absl::StatusOr<ColumnValue> TextOf(const Column& column, const FilterLiteral& literal) {
  if (literal.quoted) return literal.text;
  return Unfit(column, literal, "a text, between quotes");
}

}  // namespace

bool Compares(const Column& column, Comparison comparison) {
  if (comparison == Comparison::kEqual || comparison == Comparison::kNotEqual) return true;
  return column.meaning != ColumnMeaning::kEnum && column.meaning != ColumnMeaning::kBool;
}

absl::StatusOr<ColumnValue> ValueOf(const Column& column, const FilterLiteral& literal) {
  switch (column.meaning) {
    case ColumnMeaning::kBool:
      return BoolOf(column, literal);
    case ColumnMeaning::kEnum:
      return EnumValueOf(column, literal);
    case ColumnMeaning::kFloat:
      return FloatOf(column, literal);
    case ColumnMeaning::kTimestamp:
      return TimeValueOf(column, literal);
    case ColumnMeaning::kPlain:
    case ColumnMeaning::kUnsigned:  // no index has one
    case ColumnMeaning::kJson:      // nor one of these
      break;
  }
  switch (column.type) {
    case ColumnType::kInteger:
      return IntegerOf(column, literal);
    case ColumnType::kReal:
      return RealOf(column, literal);
    case ColumnType::kText:
      return TextOf(column, literal);
    case ColumnType::kBlob:
      return BytesOf(column, literal);
  }
  return absl::InvalidArgumentError("a column of no type");
}

}  // namespace everfold
