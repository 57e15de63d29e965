#include "everfold/store/stream_key.h"

#include "absl/hash/hash.h"

namespace everfold {

StreamKey::StreamKey(const StreamId& stream) {
  bytes_.reserve(stream.tenant.size() + stream.aggregate.size() + stream.id.size() + 2);
  bytes_.append(stream.tenant).push_back('\0');
  bytes_.append(stream.aggregate).push_back('\0');
  bytes_.append(stream.id);
  hash_ = absl::Hash<std::string>()(bytes_);
}

}  // namespace everfold
