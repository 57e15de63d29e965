#include "everfold/projection/column_values.h"

#include <memory>

#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"
#include "everfold/base/check.h"
#include "everfold/projection/row_cache.h"
#include "everfold/store/export/message_json.h"

namespace everfold {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Timestamp;

constexpr std::int64_t kFirstSecond = -62135596800;  // of the year 1
constexpr std::int64_t kLastSecond = 253402300799;   // of the year 9999
constexpr char kForm[] = "0000-00-00T00:00:00.000000000Z";
constexpr std::size_t kTextSize = sizeof(kForm) - 1;

bool HasForm(std::string_view text) {
  if (text.size() != kTextSize) return false;
  for (std::size_t i = 0; i < kTextSize; ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kForm[i] == '0' ? !digit : text[i] != kForm[i]) return false;
  }
  return true;
}

// REQUIRES: digits.
int NumberAt(std::string_view text, std::size_t begin, std::size_t size) {
  int number = 0;
  for (const char c : text.substr(begin, size)) number = number * 10 + (c - '0');
  return number;
}

// REQUIRES: so many digits are enough for it.
void SetNumber(int number, std::string& text, std::size_t begin, std::size_t size) {
  for (std::size_t i = begin + size; i > begin; number /= 10) text[--i] = static_cast<char>('0' + number % 10);
}

const FieldDescriptor& FieldOf(const Message& row, const char* name) {
  const FieldDescriptor* field = row.GetDescriptor()->FindFieldByName(name);
  EVERFOLD_CHECK(field != nullptr);
  return *field;
}

// Behind the name of the object's only member: its value. REQUIRES: an object as the JSON printer writes it.
std::string_view OnlyValue(std::string_view object) {
  std::size_t end = 2;
  while (object[end] != '"') end += object[end] == '\\' ? 2 : 1;
  return object.substr(end + 2, object.size() - end - 3);
}

// Only texts of UTF-8 are read again.
bool HoldsUtf8(const Message& row) {
  std::string bytes;
  if (!row.SerializePartialToString(&bytes)) return false;
  return internal::ReadMessage(bytes, *std::unique_ptr<Message>(row.New()));
}

// Describing types is the slow part of JSON, so a thread keeps what it has.
MessageJson& Json() {
  thread_local MessageJson json;
  return json;
}

}  // namespace

std::optional<std::string> TimestampText(const Timestamp& timestamp) {
  if (timestamp.seconds() < kFirstSecond || timestamp.seconds() > kLastSecond) return std::nullopt;
  if (timestamp.nanos() < 0 || timestamp.nanos() > 999'999'999) return std::nullopt;
  const absl::CivilSecond civil = absl::CivilSecond() + timestamp.seconds();
  std::string text(kForm, kTextSize);
  SetNumber(static_cast<int>(civil.year()), text, 0, 4);
  SetNumber(civil.month(), text, 5, 2);
  SetNumber(civil.day(), text, 8, 2);
  SetNumber(civil.hour(), text, 11, 2);
  SetNumber(civil.minute(), text, 14, 2);
  SetNumber(civil.second(), text, 17, 2);
  SetNumber(timestamp.nanos(), text, 20, 9);
  return text;
}

std::optional<Timestamp> ParseTimestampText(std::string_view text) {
  if (!HasForm(text)) return std::nullopt;
  const int year = NumberAt(text, 0, 4);
  const int month = NumberAt(text, 5, 2);
  const int day = NumberAt(text, 8, 2);
  const int hour = NumberAt(text, 11, 2);
  const int minute = NumberAt(text, 14, 2);
  const int second = NumberAt(text, 17, 2);
  const absl::CivilSecond civil(year, month, day, hour, minute, second);
  // A 30th of February has become another day.
  const bool same = civil.month() == month && civil.day() == day && civil.hour() == hour && civil.minute() == minute &&
                    civil.second() == second;
  if (!same || civil.year() != year || year < 1) return std::nullopt;
  Timestamp timestamp;
  timestamp.set_seconds(civil - absl::CivilSecond());
  timestamp.set_nanos(NumberAt(text, 20, 9));
  return timestamp;
}

void WriteTimestamp(int index, const Timestamp& timestamp, ColumnWriter& out) {
  if (const std::optional<std::string> text = TimestampText(timestamp); text.has_value()) return out.Text(index, *text);
  out.CannotWrite(index,
                  absl::StrFormat("is a Timestamp of %d seconds and %d nanoseconds, which is outside the years 1 "
                                  "to 9999, or not normalized",
                                  timestamp.seconds(), timestamp.nanos()));
}

void ReadTimestamp(int index, const ColumnReader& in, Timestamp& timestamp) {
  if (const auto parsed = ParseTimestampText(in.Text(index)); parsed.has_value()) {
    timestamp = *parsed;
  } else {
    in.CannotRead(index, absl::StrFormat("holds no time of the form %s", kForm));
  }
}

void WriteJson(int index, const Message& row, const char* field, ColumnWriter& out) {
  const FieldDescriptor& declared = FieldOf(row, field);
  if (declared.is_repeated() && row.GetReflection()->FieldSize(row, &declared) == 0) {
    return out.Text(index, declared.is_map() ? "{}" : "[]");
  }
  // JSON would leave such a text out in silence.
  if (!HoldsUtf8(row)) return out.CannotWrite(index, "holds a text that is not UTF-8");
  const absl::StatusOr<std::string> object = Json().Write(row);
  if (!object.ok()) return out.CannotWrite(index, std::string(object.status().message()));
  // What could not be read again is not written.
  if (!IsNestedDeeper(*object, kMaxJsonNesting)) return out.Text(index, OnlyValue(*object));
  out.CannotWrite(index, absl::StrFormat("is nested deeper than %d levels", kMaxJsonNesting));
}

void ReadJson(int index, const ColumnReader& in, const char* field, Message& row) {
  const FieldDescriptor& declared = FieldOf(row, field);
  const std::unique_ptr<Message> parsed(row.New());
  const absl::Status read =
      Json().Read(absl::StrFormat("{\"%s\":%s}", declared.name(), std::string(in.Text(index))), *parsed);
  if (!read.ok()) return in.CannotRead(index, std::string(read.message()));
  row.GetReflection()->SwapFields(&row, parsed.get(), {&declared});
}

}  // namespace everfold
