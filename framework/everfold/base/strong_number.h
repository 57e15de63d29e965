// Numbers that must not be mixed up: each use gives its own tag, and no two of them convert into each other.
//
//   using Version = StrongNumber<struct VersionTag>;
//   Version v{3};  v.value();  v.Next();
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <utility>

namespace everfold {

template <class Tag>
class StrongNumber {
 public:
  constexpr StrongNumber() = default;
  constexpr explicit StrongNumber(std::uint64_t value) : value_(value) {}

  static constexpr StrongNumber Max() { return StrongNumber(std::numeric_limits<std::uint64_t>::max()); }

  constexpr std::uint64_t value() const { return value_; }
  constexpr StrongNumber Next() const { return StrongNumber(value_ + 1); }
  constexpr StrongNumber Plus(std::uint64_t count) const { return StrongNumber(value_ + count); }

  friend constexpr auto operator<=>(StrongNumber, StrongNumber) = default;
  template <class H>
  friend H AbslHashValue(H state, StrongNumber number) {
    return H::combine(std::move(state), number.value_);
  }

 private:
  std::uint64_t value_ = 0;
};

}  // namespace everfold
