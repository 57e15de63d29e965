#include "everfold/base/uuid.h"

#include <cstdint>

#include "absl/strings/str_format.h"

namespace everfold {

std::string NewUuid(absl::Time now, RandomSource& random) {
  const auto milliseconds = static_cast<std::uint64_t>(absl::ToUnixMillis(now)) & 0xffff'ffff'ffff;
  const std::uint64_t version = 0x7000 | (random.Next() & 0x0fff);
  const std::uint64_t tail = random.Next();
  const std::uint64_t variant = 0x8000 | ((tail >> 48) & 0x3fff);
  return absl::StrFormat("%08x-%04x-%04x-%04x-%012x", milliseconds >> 16, milliseconds & 0xffff, version, variant,
                         tail & 0xffff'ffff'ffff);
}

}  // namespace everfold
