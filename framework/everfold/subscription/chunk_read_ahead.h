// Chunks of the log that are read before they are asked for, while those before them are handled.
//
// They are read piece by piece, some of each partition, by a step on an executor or by whoever asks, if that comes
// first: nobody waits for a step that has not begun, so an executor with one thread, which is busy, only wins nothing.
// Who asks for what a step is reading does the work of another step meanwhile.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include "everfold/log/partition_log.h"
#include "everfold/runtime/executor.h"

namespace everfold {

// Threading: one thread at a time, the same as its cursors', beside the steps. Lifetime: the executor outlives it; it
// may go before its cursors, and steps may still run after both, which then do nothing.
class ChunkReadAhead {
 public:
  // For so many cursors. What is read ahead of all of them is about 4 MB, or a chunk or two where those are larger;
  // besides, each keeps what it hands out: 64 KB or less, or a chunk.
  ChunkReadAhead(Executor& executor, std::size_t cursors);
  ~ChunkReadAhead();

  // Of the same chunks. From now on `cursor` is read on the executor's threads, too, one at a time, until the cursor
  // that is returned has gone.
  std::unique_ptr<ChunkCursor> Wrap(std::unique_ptr<ChunkCursor> cursor);

 private:
  class Lane;
  class Queue;
  class Cursor;

  const std::shared_ptr<Queue> queue_;
  const std::shared_ptr<std::atomic<std::size_t>> bytes_ahead_;
  const std::size_t piece_bytes_;
};

}  // namespace everfold
