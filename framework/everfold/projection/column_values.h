// Values of fields that SQLite has no type for, on their way into columns and back: what each looks like there is in
// ColumnMeaning. Whatever has no such form fails the write, and a column that holds something else fails the read:
// nothing is rounded, cut off or taken for something else.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "everfold/projection/read_model.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/generated_enum_reflection.h"
#include "google/protobuf/message.h"
#include "google/protobuf/timestamp.pb.h"

namespace everfold {

// "2026-01-31T08:00:00.000000000Z": exact, and in the order of time. nullopt outside the years 1 to 9999, and for
// nanoseconds outside 0 to 999,999,999, which the type does not allow either.
std::optional<std::string> TimestampText(const google::protobuf::Timestamp& timestamp);
// The inverse of TimestampText; nullopt for any other text.
std::optional<google::protobuf::Timestamp> ParseTimestampText(std::string_view text);

void WriteTimestamp(int index, const google::protobuf::Timestamp& timestamp, ColumnWriter& out);
void ReadTimestamp(int index, const ColumnReader& in, google::protobuf::Timestamp& timestamp);

// The JSON text of one field, a message, a repeated field or a map: of `row`, in which nothing else is set. Entries of
// maps come in the order of their keys.
void WriteJson(int index, const google::protobuf::Message& row, const char* field, ColumnWriter& out);
// Sets that field of `row`, and no other.
void ReadJson(int index, const ColumnReader& in, const char* field, google::protobuf::Message& row);

// What EnumText (everfold/base/enum_text.h) wrote.
template <class E>
E ReadEnum(int index, const ColumnReader& in) {
  const std::string_view text = in.Text(index);
  const google::protobuf::EnumDescriptor& type = *google::protobuf::GetEnumDescriptor<E>();
  if (const auto* known = type.FindValueByName(std::string(text)); known != nullptr) {
    return static_cast<E>(known->number());
  }
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return static_cast<E>(number);
  in.CannotRead(index, "holds no value of " + type.full_name());
  return static_cast<E>(0);
}

}  // namespace everfold
