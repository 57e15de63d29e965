// The events of a partition's chunks that a selection wants.
//
//   EVERFOLD_RETURN_IF_ERROR(events.Open(cursor->chunk(), after));
//   while (events.Next()) {
//     EVERFOLD_RETURN_IF_ERROR(events.Decode());
//     EVERFOLD_RETURN_IF_ERROR(visit(events.event()));
//   }
//   EVERFOLD_RETURN_IF_ERROR(events.status());  // it ends early on damage
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "everfold/event/chunk_reader.h"
#include "everfold/event/event_decoder.h"
#include "everfold/event/event_selection.h"
#include "everfold/event/partition_types.h"
#include "everfold/event/recorded_event.h"
#include "everfold/event/selection_filter.h"

namespace everfold {

// Threading: one thread. Lifetime: selection and dictionary outlive it, a chunk's bytes the reading of the chunk.
class EventReader {
 public:
  EventReader(const EventSelection& selection, const TypeDictionary& dictionary, PartitionId partition)
      : types_(dictionary, partition), filter_(selection, types_), decoder_(types_) {}
  EventReader(const EventReader&) = delete;
  EventReader& operator=(const EventReader&) = delete;

  // Begins with a chunk of the partition, of which events at or before `after` are not wanted. DATA_LOSS for bytes that
  // are no whole and unchanged chunk, or one of another partition.
  absl::Status Open(std::string_view chunk, Offset after);
  // Moves to the next wanted event; false at the chunk's end, or on damage, which status() then tells.
  bool Next();
  // Puts together the event on which it stands. DATA_LOSS if that names a type that is not defined.
  absl::Status Decode() { return decoder_.Decode(chunk_); }
  // REQUIRES: Decode was OK. Lifetime: until the next one.
  RecordedEvent event() const { return decoder_.event(); }

  // REQUIRES, here and below: Open was OK.
  const ChunkReader& chunk() const { return chunk_; }
  const absl::Status& status() const { return chunk_.status(); }

 private:
  absl::Status CheckChunkIsOurs();
  bool NextStream();
  bool NextCommit();

  PartitionTypes types_;
  SelectionFilter filter_;
  EventDecoder decoder_;
  ChunkReader chunk_;
  Offset after_;
  bool in_commit_ = false;
  bool in_stream_ = false;
};

}  // namespace everfold
