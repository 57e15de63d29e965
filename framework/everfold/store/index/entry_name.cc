#include "everfold/store/index/entry_name.h"

#include <xxhash.h>

#include <cstring>

namespace everfold {

EntryName::EntryName(std::initializer_list<std::string_view> names) {
  std::size_t size = names.size();
  for (const std::string_view name : names) size += name.size();
  bytes_.resize(size);  // with the zero bytes
  char* at = bytes_.data();
  for (const std::string_view name : names) {
    valid_ = valid_ && name.find('\0') == std::string_view::npos;
    std::memcpy(at, name.data(), name.size());
    at += name.size() + 1;
  }
  hash_ = XXH3_64bits(bytes_.data(), bytes_.size());
}

}  // namespace everfold
