// Events by their positions, as the index tells them.
//
//   EVERFOLD_ASSIGN_OR_RETURN(const bool found, events.MoveTo(position));
//   if (found) Use(events.event());
#pragma once

#include <cstdint>
#include <memory>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "everfold/event/event_reader.h"
#include "everfold/event/event_selection.h"
#include "everfold/event/position.h"
#include "everfold/log/partition_log.h"

namespace everfold {

// Holds a chunk of some partitions each: events that stand in one chunk are read together. Threading: one thread.
// Lifetime: log and types outlive it.
class PositionedEvents {
 public:
  PositionedEvents(const PartitionLog& log, const TypeDictionary& types) : log_(log), types_(types) {}

  // Stands on the durable event of that position; false if it was erased. Those of one partition are asked for in the
  // order of their offsets. Errors: of the log; DATA_LOSS for a damaged chunk, and for a position that it does not
  // have.
  absl::StatusOr<bool> MoveTo(const Position& at);
  // REQUIRES: the last MoveTo returned true. Lifetime: until the next one.
  RecordedEvent event() const { return current_->events.event(); }

 private:
  // Events of one partition come in order, so that one chunk may have several of them.
  struct OpenChunk {
    OpenChunk(std::unique_ptr<ChunkCursor> opened, const EventSelection& selection, const TypeDictionary& types,
              PartitionId partition)
        : cursor(std::move(opened)), events(selection, types, partition) {}

    const std::unique_ptr<ChunkCursor> cursor;
    EventReader events;
    Offset at;  // of the event on which it stands; 0: before the first
  };

  absl::StatusOr<OpenChunk*> ChunkWith(const Position& at);

  const PartitionLog& log_;
  const TypeDictionary& types_;
  const EventSelection everything_{.framework_streams = true, .group_streams = true};
  absl::flat_hash_map<std::uint32_t, std::unique_ptr<OpenChunk>> open_;  // by partition
  const OpenChunk* current_ = nullptr;
};

}  // namespace everfold
