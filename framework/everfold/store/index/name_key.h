// Names of tags and types, within a tenant, as numbers.
#pragma once

#include <cstdint>
#include <string_view>

namespace everfold {

// XXH3-128 of `tenant 0 name 0`. Equal names have equal keys. Should two names ever meet in one key, an append
// condition on one of them is refused because of the other, and is decided rightly when it is asked again with a later
// sequence: keys are looked at only for commits that are on their way or have just become durable.
struct NameKey {
  static NameKey Of(std::string_view tenant, std::string_view name);

  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const NameKey&, const NameKey&) = default;
};

}  // namespace everfold
