// Enum values of protobuf as text: the value's name, or its number where the enum declares none.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/generated_enum_reflection.h"

namespace everfold {

template <class E>
std::string EnumText(E value) {
  const auto* known = google::protobuf::GetEnumDescriptor<E>()->FindValueByNumber(static_cast<int>(value));
  return known != nullptr ? known->name() : std::to_string(static_cast<int>(value));
}

// The inverse of EnumText. The enum's zero value for any other text.
template <class E>
E EnumOf(std::string_view text) {
  const auto* known = google::protobuf::GetEnumDescriptor<E>()->FindValueByName(std::string(text));
  if (known != nullptr) return static_cast<E>(known->number());
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return static_cast<E>(number);
}

}  // namespace everfold
