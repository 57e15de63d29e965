// SHA-256 and HMAC-SHA-256 (FIPS 180-4, RFC 2104), by OpenSSL.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace everfold {

// SHA-256 of bytes that come in parts, without an allocation. Threading: one thread.
class Sha256Hasher {
 public:
  Sha256Hasher();
  void Add(std::string_view bytes);
  // Of all bytes added. The hasher then begins anew.
  std::array<unsigned char, 32> Finish();

 private:
  alignas(8) unsigned char state_[112];  // OpenSSL's, which no header of ours includes
};

std::string Sha256(std::string_view bytes);                            // 32 bytes
std::string HmacSha256(std::string_view key, std::string_view bytes);  // 32 bytes
std::string HexEncode(std::string_view bytes);                         // lower case

}  // namespace everfold
