// A chunk's commits as values, for readers that keep them. Whoever only looks reads by event/chunk_reader.h,
// or event by event (event/event_reader.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/chunk_header.h"
#include "everfold/event/commit.h"
#include "everfold/event/event_type.h"
#include "everfold/event/position.h"

namespace everfold {

class ChunkReader;

struct Chunk {
  ChunkHeader header;
  std::vector<Commit> commits;
};

// DATA_LOSS, with what is wrong, for bytes that are no whole and unchanged chunk, or name a type that `types` does not
// define (a chunk's own definitions need not be in there yet).
absl::StatusOr<Chunk> DecodeChunk(std::string_view bytes, const TypeDictionary& types);

// The commit that the reader stands on, which it then has read to its end. DATA_LOSS as above, but for definitions.
absl::StatusOr<Commit> DecodeCommit(ChunkReader& chunk, const TypeDictionary& types);

}  // namespace everfold
