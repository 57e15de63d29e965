#include "everfold/store/index/command_digest.h"

#include <xxhash.h>

#include <cstring>

#include "everfold/base/digest.h"
#include "everfold/store/index/entry_name.h"

namespace everfold {
namespace {

constexpr std::size_t kSecretBytes = 192;

}  // namespace

CommandDigester::CommandDigester(std::string_view store_key) {
  for (int part = 0; secret_.size() < kSecretBytes; ++part) {
    secret_ += HmacSha256(store_key, "everfold command digests " + std::to_string(part));
  }
}

CommandDigest CommandDigester::Digest(std::string_view tenant, std::string_view type, std::string_view id) const {
  const EntryName name = EntryName::OfCommand(tenant, type, id);
  XXH64_canonical_t canonical;
  XXH64_canonicalFromHash(
      &canonical, XXH3_64bits_withSecret(name.bytes().data(), name.bytes().size(), secret_.data(), kSecretBytes));
  CommandDigest digest;
  static_assert(sizeof(canonical.digest) == sizeof(digest.digest));
  std::memcpy(digest.digest.data(), canonical.digest, sizeof(canonical.digest));
  return digest;
}

}  // namespace everfold
