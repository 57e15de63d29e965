// SQL that a handler writes itself, and the values that are bound to its parameters.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

#include "everfold/base/enum_text.h"
#include "everfold/projection/column_values.h"
#include "everfold/projection/read_model.h"
#include "google/protobuf/generated_enum_util.h"
#include "google/protobuf/timestamp.pb.h"

namespace everfold {

// A literal of the program: a text that is put together at run time does not compile, so no value becomes SQL.
class SqlText {
 public:
  template <std::size_t N>
  consteval SqlText(const char (&text)[N]) : text_(text, N - 1) {}  // NOLINT: implicit on purpose
  constexpr std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

// Bytes, which C++ does not tell from a text.
struct SqlBlob {
  std::string_view bytes;
};

// As a column of the value's type holds it: bool and integers, floating point, texts, SqlBlob, enums of Protobuf by
// name, google.protobuf.Timestamp; an optional without a value, and nullopt, as NULL.
template <class T>
void WriteSqlValue(int index, const T& value, ColumnWriter& out) {
  if constexpr (std::is_same_v<T, std::nullopt_t>) {
    out.Null(index);
  } else if constexpr (google::protobuf::is_proto_enum<T>::value) {
    out.Text(index, EnumText(value));
  } else if constexpr (std::integral<T>) {
    out.Integer(index, static_cast<std::int64_t>(value));
  } else if constexpr (std::floating_point<T>) {
    out.Real(index, static_cast<double>(value));
  } else if constexpr (std::is_same_v<T, SqlBlob>) {
    out.Blob(index, value.bytes);
  } else if constexpr (std::is_same_v<T, google::protobuf::Timestamp>) {
    WriteTimestamp(index, value, out);
  } else {
    static_assert(std::is_convertible_v<const T&, std::string_view>, "this type is no value of SQL");
    out.Text(index, std::string_view(value));
  }
}

template <class T>
void WriteSqlValue(int index, const std::optional<T>& value, ColumnWriter& out) {
  value.has_value() ? WriteSqlValue(index, *value, out) : out.Null(index);
}

template <class... Values>
void WriteSqlValues(ColumnWriter& out, const Values&... values) {
  [[maybe_unused]] int index = 0;
  (WriteSqlValue(index++, values, out), ...);
}

}  // namespace everfold
