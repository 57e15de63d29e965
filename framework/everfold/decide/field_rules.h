// What generated validators tell of a field that breaks a rule: where it is, and the value that was met.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "everfold/decide/violations.h"

namespace everfold {

// "5". Floating point in the fewest digits that read back as the same value.
template <std::integral T>
std::string Shown(T value) {
  return std::to_string(value);
}
std::string Shown(float value);
std::string Shown(double value);
// "\"text\"": what is not printable is escaped, and of a long text only the beginning is shown, with its size.
std::string Shown(std::string_view text);

// "lines[2]".
std::string ItemOf(std::string_view field, int index);

// "prices[5]", "flags[true]" and "prices[\"EUR\"]", with the key as Shown does.
template <class K>
std::string EntryOf(std::string_view field, const K& key) {
  std::string path(field);
  if constexpr (std::same_as<K, bool>) {
    path += key ? "[true" : "[false";
  } else {
    path.append("[").append(Shown(key));
  }
  return path + "]";
}

}  // namespace everfold
