// The front of a key: names, each ended by a zero byte, which is in none of them. Entries of one stream, or of one tag,
// stand together; and no name's entries are among those of a longer name. Names are compared, not hashes alone.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace everfold {

// How many names are in front.
inline constexpr int kNamesOfStream = 3;
inline constexpr int kNamesOfTag = 2;

// Short names, which nearly all are, take no memory from the heap: some are made for every commit.
class EntryName {
 public:
  // `tenant 0 aggregate 0 id 0`
  static EntryName OfStream(std::string_view tenant, std::string_view aggregate, std::string_view id);
  // `tenant 0 tag 0`
  static EntryName OfTag(std::string_view tenant, std::string_view tag);
  // `tenant 0 type 0 id 0`
  static EntryName OfCommand(std::string_view tenant, std::string_view type, std::string_view id) {
    return OfStream(tenant, type, id);
  }

  // The same from its bytes, as another one had them.
  static EntryName OfBytes(std::string_view bytes);

  std::string_view bytes() const {
    return size_ <= kShortBytes ? std::string_view(short_.data(), size_) : std::string_view(long_);
  }
  // False if one of the names holds a zero byte: then it is nobody's.
  bool valid() const { return valid_; }
  // XXH3 of the bytes, not the same in all versions of this program.
  std::size_t hash() const { return hash_; }

  friend bool operator==(const EntryName& a, const EntryName& b) {
    return a.hash_ == b.hash_ && a.bytes() == b.bytes();
  }
  template <class H>
  friend H AbslHashValue(H state, const EntryName& name) {
    return H::combine(std::move(state), name.hash_);
  }

 private:
  explicit EntryName(std::size_t size);
  char* Put(std::string_view name, char* at);
  char* begin() { return size_ > kShortBytes ? long_.data() : short_.data(); }

  static constexpr std::size_t kShortBytes = 112;

  std::size_t size_;
  std::size_t hash_ = 0;
  bool valid_ = true;
  std::array<char, kShortBytes> short_;  // the bytes, or
  std::string long_;
};

}  // namespace everfold
