#include "everfold/store/index/entry_name.h"

#include <xxhash.h>

#include <cstring>

namespace everfold {

EntryName EntryName::OfStream(std::string_view tenant, std::string_view aggregate, std::string_view id) {
  EntryName name(tenant.size() + aggregate.size() + id.size() + kNamesOfStream);
  name.Put(id, name.Put(aggregate, name.Put(tenant, name.begin())));
  name.hash_ = XXH3_64bits(name.begin(), name.size_);
  return name;
}

EntryName EntryName::OfTag(std::string_view tenant, std::string_view tag) {
  EntryName name(tenant.size() + tag.size() + kNamesOfTag);
  name.Put(tag, name.Put(tenant, name.begin()));
  name.hash_ = XXH3_64bits(name.begin(), name.size_);
  return name;
}

EntryName EntryName::OfBytes(std::string_view bytes) {
  EntryName name(bytes.size());
  std::memcpy(name.begin(), bytes.data(), bytes.size());
  name.hash_ = XXH3_64bits(name.begin(), name.size_);
  return name;
}

EntryName::EntryName(std::size_t size) : size_(size) {
  if (size > kShortBytes) long_.resize(size);
}

char* EntryName::Put(std::string_view name, char* at) {
  valid_ = valid_ && name.find('\0') == std::string_view::npos;
  std::memcpy(at, name.data(), name.size());
  at[name.size()] = '\0';
  return at + name.size() + 1;
}

}  // namespace everfold
