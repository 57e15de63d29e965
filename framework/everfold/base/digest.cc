// The calls by which OpenSSL computes a SHA-256 without looking up a provider first; for short texts that is half the
// time. They are declared deprecated in favour of EVP, which has none like them.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "everfold/base/digest.h"

#include <openssl/sha.h>

#include "everfold/base/check.h"

namespace everfold {
namespace {

// Never null, not even for an empty view: OpenSSL refuses that.
const unsigned char* Unsigned(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.empty() ? "" : bytes.data());
}

SHA256_CTX* StateOf(unsigned char* bytes) { return reinterpret_cast<SHA256_CTX*>(bytes); }

}  // namespace

Sha256Hasher::Sha256Hasher() {
  static_assert(sizeof(SHA256_CTX) <= sizeof(state_) && alignof(SHA256_CTX) <= 8);
  EVERFOLD_CHECK(SHA256_Init(StateOf(state_)) == 1);
}

void Sha256Hasher::Add(std::string_view bytes) {
  EVERFOLD_CHECK(SHA256_Update(StateOf(state_), Unsigned(bytes), bytes.size()) == 1);
}

std::array<unsigned char, 32> Sha256Hasher::Finish() {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  EVERFOLD_CHECK(SHA256_Final(digest.data(), StateOf(state_)) == 1);
  EVERFOLD_CHECK(SHA256_Init(StateOf(state_)) == 1);
  return digest;
}

std::string Sha256(std::string_view bytes) {
  Sha256Hasher hasher;
  hasher.Add(bytes);
  const std::array<unsigned char, 32> digest = hasher.Finish();
  return std::string(reinterpret_cast<const char*>(digest.data()), digest.size());
}

// RFC 2104, in terms of the hash: OpenSSL's own looks up provider and digest for each text, which for short ones takes
// several times as long as hashing them.
std::string HmacSha256(std::string_view key, std::string_view bytes) {
  constexpr std::size_t kBlockBytes = SHA256_CBLOCK;
  std::string block = key.size() > kBlockBytes ? Sha256(key) : std::string(key);
  block.resize(kBlockBytes, '\0');
  for (char& byte : block) byte ^= 0x36;
  Sha256Hasher hasher;
  hasher.Add(block);
  hasher.Add(bytes);
  const std::array<unsigned char, 32> inner = hasher.Finish();
  for (char& byte : block) byte ^= 0x36 ^ 0x5c;
  hasher.Add(block);
  hasher.Add({reinterpret_cast<const char*>(inner.data()), inner.size()});
  const std::array<unsigned char, 32> digest = hasher.Finish();
  return std::string(reinterpret_cast<const char*>(digest.data()), digest.size());
}

std::string HexEncode(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char byte : bytes) {
    hex.push_back(kDigits[static_cast<unsigned char>(byte) >> 4]);
    hex.push_back(kDigits[static_cast<unsigned char>(byte) & 0xf]);
  }
  return hex;
}

}  // namespace everfold
