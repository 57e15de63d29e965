// What generated validators tell of a field that breaks a rule: where it is, and the value that was met.
#pragma once

#include <cmath>
#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>

#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
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

// "2026-01-01T00:00:00+00:00", with as many digits of the second as there are.
std::string Shown(absl::Time value);
// "1h30m".
std::string Shown(absl::Duration value);

template <class T>
bool IsNan([[maybe_unused]] const T& value) {
  if constexpr (std::floating_point<T>) {
    return std::isnan(value);
  } else {
    return false;
  }
}

// Index of the first item that equals one before it; -1 if there is none. `items` is a field of scalars or enums. NaN
// equals nothing.
template <class Items>
int FirstRepeated(const Items& items) {
  using Item = std::remove_cvref_t<decltype(*items.begin())>;
  using Key = std::conditional_t<std::same_as<Item, std::string>, std::string_view, Item>;
  absl::flat_hash_set<Key> seen;
  int index = 0;
  for (const auto& item : items) {
    if (!IsNan(item) && !seen.insert(Key(item)).second) return index;
    ++index;
  }
  return -1;
}

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
