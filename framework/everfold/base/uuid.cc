// As digest.cc: without looking up a provider first.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "everfold/base/uuid.h"

#include <openssl/sha.h>

#include <cstdint>

#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
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
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA_CTX hash;
  EVERFOLD_CHECK(SHA1_Init(&hash) == 1 && SHA1_Update(&hash, kNameSpace, sizeof(kNameSpace)) == 1 &&
                 SHA1_Update(&hash, name.data(), name.size()) == 1 && SHA1_Final(digest, &hash) == 1);
  digest[6] = static_cast<unsigned char>((digest[6] & 0x0f) | 0x50);
  digest[8] = static_cast<unsigned char>((digest[8] & 0x3f) | 0x80);
  std::string text = HexEncode({reinterpret_cast<const char*>(digest), 16});
  for (const std::size_t dash : {8, 13, 18, 23}) text.insert(dash, 1, '-');
  return text;
}

}  // namespace everfold
