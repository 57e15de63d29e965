// The bounds of a value: gt or gte below, lt or lte above. As in protovalidate, a lower bound above the upper one asks
// for a value outside of both.
#pragma once

#include <cmath>
#include <limits>
#include <optional>
#include <type_traits>

#include "absl/time/time.h"
#include "everfold/base/duration.h"
#include "everfold/base/timestamp.h"

namespace everfold::codegen {

// A value of the rules as the field's type has it: numbers of DoubleRules are rounded where the field is a float.
template <class T, class N>
T RuleValue(const N& value) {
  if constexpr (std::is_same_v<T, absl::Time>) {
    return TimeOf(value);
  } else if constexpr (std::is_same_v<T, absl::Duration>) {
    return DurationOf(value);
  } else {
    return static_cast<T>(value);
  }
}

template <class T>
struct Bounds {
  std::optional<T> gt, gte, lt, lte;

  bool HasBoth() const { return (gt || gte) && (lt || lte); }
  // REQUIRES: there is one.
  T Lower() const { return gt ? *gt : *gte; }
  T Upper() const { return lt ? *lt : *lte; }
  // The value must lie above the lower bound or below the upper one.
  bool AskOutside() const { return HasBoth() && Upper() < Lower(); }
  // Some value keeps them.
  bool AreSatisfiable() const;
};

// Rules has gt, gte, lt and lte, each with presence.
template <class T, class Rules>
Bounds<T> BoundsOf(const Rules& rules) {
  Bounds<T> bounds;
  if (rules.has_gt()) bounds.gt = RuleValue<T>(rules.gt());
  if (rules.has_gte()) bounds.gte = RuleValue<T>(rules.gte());
  if (rules.has_lt()) bounds.lt = RuleValue<T>(rules.lt());
  if (rules.has_lte()) bounds.lte = RuleValue<T>(rules.lte());
  return bounds;
}

// True for the bound of a type's end that no value goes beyond.
template <class T>
bool IsHighest(T value) {
  if constexpr (!std::is_arithmetic_v<T>) {
    return false;
  } else {
    return std::is_floating_point_v<T> ? value == std::numeric_limits<T>::infinity()
                                       : value == std::numeric_limits<T>::max();
  }
}
template <class T>
bool IsLowest(T value) {
  if constexpr (!std::is_arithmetic_v<T>) {
    return false;
  } else {
    return std::is_floating_point_v<T> ? value == -std::numeric_limits<T>::infinity()
                                       : value == std::numeric_limits<T>::min();
  }
}

template <class T>
bool Bounds<T>::AreSatisfiable() const {
  const bool none_above = gt && IsHighest(*gt);
  const bool none_below = lt && IsLowest(*lt);
  if (AskOutside()) return !none_above || !none_below;
  if (none_above || none_below) return false;
  if (!HasBoth()) return true;
  if constexpr (std::is_integral_v<T>) {
    return Lower() + (gt ? 1 : 0) <= Upper() - (lt ? 1 : 0);
  } else {
    return Lower() < Upper() || (Lower() == Upper() && !gt && !lt);
  }
}

}  // namespace everfold::codegen
