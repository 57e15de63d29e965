// The wanted events of one partition, the latest first. The log goes forwards only: pieces are read from the end, each
// twice as long as the one after it.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/event_reader.h"
#include "everfold/event/event_selection.h"
#include "everfold/log/partition_log.h"
#include "everfold/store/event_store.h"

namespace everfold {

// Threading: one thread. Lifetime: store and selection outlive it.
class BackwardEvents {
 public:
  enum class Standing {
    kOnEvent,     // event() is the next one
    kAtBegin,     // there is none
    kOutOfBytes,  // nobody knows yet
  };

  BackwardEvents(const EventStore& store, const EventSelection& selection, PartitionId partition, Offset upto)
      : log_(store.log()),
        partition_(partition),
        unread_(upto),
        rest_(upto),
        events_(selection, store.types(), partition),
        types_(store.types(), partition),
        decoder_(types_) {}

  // Stands on the next wanted event, if that can be found by reading chunks of no more than `bytes` bytes together, and
  // a last piece; what it reads is taken off.
  absl::StatusOr<Standing> Settle(std::size_t& bytes);

  // REQUIRES, here and below: the last Settle returned kOnEvent.
  Sequence sequence() const { return found_.back().commit().sequence; }
  absl::Status Decode() { return decoder_.Decode(found_.back()); }
  // REQUIRES: Decode was OK.
  RecordedEvent event() const { return decoder_.event(); }
  // The event is handled: the next Settle moves on.
  void Pass();

  // Everything wanted above it was passed.
  Offset rest() const { return rest_; }

 private:
  absl::Status ReadPiece(std::size_t& bytes);
  absl::Status FindInChunk();

  const PartitionLog& log_;
  const PartitionId partition_;
  Offset unread_;  // up to here nothing has been read
  Offset rest_;
  std::uint64_t piece_ = 64;  // events
  EventReader events_;
  PartitionTypes types_;
  EventDecoder decoder_;
  std::deque<std::string> chunks_;  // of the piece
  std::vector<ChunkReader> found_;  // on its wanted events, in the order of the log
};

}  // namespace everfold
