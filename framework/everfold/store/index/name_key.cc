#include "everfold/store/index/name_key.h"

#include <xxhash.h>

#include "everfold/store/index/entry_name.h"

namespace everfold {

NameKey NameKey::Of(std::string_view tenant, std::string_view name) {
  const EntryName bytes = EntryName::OfTag(tenant, name);
  const XXH128_hash_t hash = XXH3_128bits(bytes.bytes().data(), bytes.bytes().size());
  return {hash.low64, hash.high64};
}

}  // namespace everfold
