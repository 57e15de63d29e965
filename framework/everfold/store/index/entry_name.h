// The front of a key: names, each ended by a zero byte, which is in none of them. Entries of one stream, or of one tag,
// stand together; and no name's entries are among those of a longer name.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string_view>

#include "absl/container/inlined_vector.h"

namespace everfold {

// How many names are in front.
inline constexpr int kNamesOfStream = 3;
inline constexpr int kNamesOfTag = 2;

// Short names, which nearly all are, take no memory from the heap: some are made for every commit.
class EntryName {
 public:
  // `tenant 0 aggregate 0 id 0`
  static EntryName OfStream(std::string_view tenant, std::string_view aggregate, std::string_view id) {
    return EntryName({tenant, aggregate, id});
  }
  // `tenant 0 tag 0`
  static EntryName OfTag(std::string_view tenant, std::string_view tag) { return EntryName({tenant, tag}); }
  // `tenant 0 type 0 id 0`
  static EntryName OfCommand(std::string_view tenant, std::string_view type, std::string_view id) {
    return EntryName({tenant, type, id});
  }

  std::string_view bytes() const { return {bytes_.data(), bytes_.size()}; }
  // False if one of the names holds a zero byte: then it is nobody's.
  bool valid() const { return valid_; }
  // XXH3 of the bytes, not the same in all versions of this program.
  std::size_t hash() const { return hash_; }

 private:
  explicit EntryName(std::initializer_list<std::string_view> names);

  absl::InlinedVector<char, 112> bytes_;
  bool valid_ = true;
  std::size_t hash_;
};

}  // namespace everfold
