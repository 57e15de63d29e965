// What makes the log tamper-evident: each chunk of a partition carries a digest of itself and of all chunks before it.
//
//   leaf  = SHA-256(bytes of a commit, as they stand in the chunk)
//   chain = SHA-256(chain of the chunk before, sealed fields of the header, SHA-256(type definitions), leaves in order)
//
// Byte by byte: docs/formats/chunk.md. A commit can be replaced by a tombstone that keeps its leaf, and every chain
// stays what it was.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace everfold {

using Digest = std::array<unsigned char, 32>;

// The digest at a chunk; all zero before the first chunk of a partition.
struct Chain {
  Digest digest{};
  std::string ToString() const;  // hex
  friend bool operator==(const Chain&, const Chain&) = default;
};

// Of a commit's bytes, which are no tombstone's: that carries the leaf of what it stands for.
Digest LeafOf(std::string_view commit);

}  // namespace everfold
