// Commands by a digest of 8 bytes instead of by their names, which are long.
//
// The digest is XXH3-64 of the names with a secret of 192 bytes that is derived from the store's key. It is no proof
// of identity: whoever finds a command by it reads the commit, and compares. The secret keeps those who choose ids from
// making many that meet in one digest, which would cost reads; and if they did, each would still be found, because an
// entry's key goes on with the commit's sequence.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace everfold {

struct CommandDigest {
  std::array<char, 8> digest{};

  std::string_view bytes() const { return {digest.data(), digest.size()}; }
  // It is as good as a hash can be.
  std::size_t hash() const {
    std::size_t hash;
    std::memcpy(&hash, digest.data(), sizeof(hash));
    return hash;
  }
  friend bool operator==(const CommandDigest&, const CommandDigest&) = default;
};

// Threading: immutable.
class CommandDigester {
 public:
  explicit CommandDigester(std::string_view store_key);
  CommandDigest Digest(std::string_view tenant, std::string_view type, std::string_view id) const;

 private:
  std::string secret_;
};

}  // namespace everfold
