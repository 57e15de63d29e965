// SHA-256 and HMAC-SHA-256 (FIPS 180-4, RFC 2104), by OpenSSL.
#pragma once

#include <string>
#include <string_view>

namespace everfold {

std::string Sha256(std::string_view bytes);                            // 32 bytes
std::string HmacSha256(std::string_view key, std::string_view bytes);  // 32 bytes
std::string HexEncode(std::string_view bytes);                         // lower case

}  // namespace everfold
