// A stream's whole name in one string, with its hash: made on the caller's thread, used by the committer. Names are
// compared, not hashes alone.
#pragma once

#include <string>
#include <utility>

#include "everfold/event/stream_id.h"

namespace everfold {

class StreamKey {
 public:
  explicit StreamKey(const StreamId& stream);
  friend bool operator==(const StreamKey& a, const StreamKey& b) { return a.hash_ == b.hash_ && a.bytes_ == b.bytes_; }
  template <class H>
  friend H AbslHashValue(H state, const StreamKey& key) {
    return H::combine(std::move(state), key.hash_);
  }

 private:
  std::string bytes_;
  std::size_t hash_;
};

}  // namespace everfold
