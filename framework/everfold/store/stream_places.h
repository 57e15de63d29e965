// Walks from place to place of one stream: the commits that hold its events, as the index knows them, in the log.
#pragma once

#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "everfold/event/chunk_reader.h"
#include "everfold/event/stream_id.h"
#include "everfold/log/partition_log.h"
#include "everfold/store/store_index.h"

namespace everfold {

// Threading: one thread. Lifetime: log and stream outlive it.
class StreamPlaces {
 public:
  StreamPlaces(const PartitionLog& log, const StreamId& stream);

  PartitionId partition() const { return partition_; }
  // Moves to the stream's part of the commit at `place`, whose events NextEvent of chunk() then gives. A chunk that
  // holds several places is read once. DATA_LOSS if the log holds something else there.
  absl::Status MoveTo(const StreamPlace& place);
  // REQUIRES: MoveTo was OK.
  ChunkReader& chunk() { return *chunk_; }

 private:
  absl::Status FindIn(const StreamPlace& place);
  absl::Status Load(Offset offset);
  bool Holds(Offset offset) const;
  absl::Status CheckIs(const StreamPlace& place) const;
  absl::Status Missing(const StreamPlace& place) const;

  const PartitionLog& log_;
  const StreamId& stream_;
  const PartitionId partition_;
  std::unique_ptr<ChunkCursor> cursor_;
  std::optional<ChunkReader> opened_;  // the cursor's chunk, before its first commit
  std::optional<ChunkReader> chunk_;   // the same, moved on
  Offset at_;                          // of the place; 0: before the chunk's first commit
};

}  // namespace everfold
