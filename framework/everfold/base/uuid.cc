#include "everfold/base/uuid.h"

#include <openssl/sha.h>

#include <cstdint>

#include "absl/strings/str_format.h"
#include "everfold/base/digest.h"

namespace everfold {

std::string NewUuid(absl::Time now, RandomSource& random) {
  const auto milliseconds = static_cast<std::uint64_t>(absl::ToUnixMillis(now)) & 0xffff'ffff'ffff;
  const std::uint64_t version = 0x7000 | (random.Next() & 0x0fff);
  const std::uint64_t tail = random.Next();
  const std::uint64_t variant = 0x8000 | ((tail >> 48) & 0x3fff);
  return absl::StrFormat("%08x-%04x-%04x-%04x-%012x", milliseconds >> 16, milliseconds & 0xffff, version, variant,
                         tail & 0xffff'ffff'ffff);
}

std::string UuidOfName(std::string_view name) {
  // UUIDv5 of "everfold.dev" in the name space of domain names.
  static constexpr unsigned char kNameSpace[16] = {0x44, 0xe8, 0x9b, 0x74, 0x7e, 0x69, 0x50, 0x3d,
                                                   0xb7, 0xb5, 0xb8, 0x83, 0x4d, 0x49, 0x15, 0x65};
  std::string text(reinterpret_cast<const char*>(kNameSpace), sizeof(kNameSpace));
  text += name;
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  digest[6] = static_cast<unsigned char>((digest[6] & 0x0f) | 0x50);
  digest[8] = static_cast<unsigned char>((digest[8] & 0x3f) | 0x80);
  const std::string hex = HexEncode({reinterpret_cast<const char*>(digest), 16});
  return absl::StrFormat("%s-%s-%s-%s-%s", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                         hex.substr(20));
}

}  // namespace everfold
