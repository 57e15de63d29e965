// The wanted events of one partition, in order, from the log.
#pragma once

#include <cstddef>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/event_reader.h"
#include "everfold/event/event_selection.h"
#include "everfold/log/partition_log.h"
#include "everfold/store/event_store.h"
#include "everfold/subscription/chunk_read_ahead.h"

namespace everfold {

// Threading: one thread. Lifetime: store, selection and read_ahead outlive it.
class PartitionEvents {
 public:
  enum class Standing {
    kOnEvent,     // event() is the next one
    kAtHead,      // there is none, up to the head
    kOutOfBytes,  // nobody knows yet
  };

  // `read_ahead` reads the chunks where there are many to come; nullptr: nobody else does.
  PartitionEvents(const EventStore& store, const EventSelection& selection, PartitionId partition, Offset after,
                  ChunkReadAhead* read_ahead)
      : log_(store.log()),
        read_ahead_(read_ahead),
        partition_(partition),
        handled_(after),
        events_(selection, store.types(), partition) {}

  // How far it may be read: the durable head, or what comes before. What is in the log behind the head may use types
  // that nobody knows yet.
  void SetEnd(Offset end) { end_ = end; }

  // Stands on the next wanted event, if that can be found by reading chunks of no more than `bytes` bytes together, and
  // a last one; what it reads is taken off.
  absl::StatusOr<Standing> Settle(std::size_t& bytes);

  // REQUIRES, here and below: the last Settle returned kOnEvent.
  Sequence sequence() const { return events_.chunk().commit().sequence; }
  absl::Status Decode() { return events_.Decode(); }
  // REQUIRES: Decode was OK.
  RecordedEvent event() const { return events_.event(); }
  // The event is handled: the next Settle moves on.
  void Pass() {
    handled_ = events_.chunk().event().offset;
    on_event_ = false;
  }

  // Everything wanted up to here was passed.
  Offset handled() const { return handled_; }

 private:
  absl::Status FindInChunk();
  absl::Status NextChunk(std::size_t& bytes);
  absl::StatusOr<std::unique_ptr<ChunkCursor>> Read() const;

  const PartitionLog& log_;
  ChunkReadAhead* const read_ahead_;
  const PartitionId partition_;
  Offset end_;
  Offset handled_;
  EventReader events_;
  std::unique_ptr<ChunkCursor> cursor_;  // nullptr while there is nothing to read
  bool in_chunk_ = false;                // the reader is in the cursor's chunk
  bool on_event_ = false;
};

}  // namespace everfold
