// Puts together what readers are handed of an event, in memory that is used again for the next one.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "everfold/event/chunk_reader.h"
#include "everfold/event/partition_types.h"
#include "everfold/event/recorded_event.h"

namespace everfold {

// Threading: one thread. Lifetime: the types outlive it.
class EventDecoder {
 public:
  explicit EventDecoder(PartitionTypes& types) : types_(types) {}

  // Decodes the event on which `chunk`, of the types' partition, stands. DATA_LOSS if it names a type that is not
  // defined. What belongs to its commit and stream is kept from call to call, whose chunks therefore belong to one log.
  absl::Status Decode(const ChunkReader& chunk);

  // REQUIRES: the last Decode was OK. Lifetime: until the next one; not longer than the chunk's bytes.
  RecordedEvent event() const {
    return {.commit = {sequence_, recorded_at_, command_, metadata_},
            .stream = {stream_, first_version_},
            .event = {type_->name, type_->fingerprint, view_.event_time, tags_, view_.codec, view_.payload},
            .version = view_.version,
            .position = {types_.partition(), view_.offset}};
  }

 private:
  absl::Status DecodeCommit(const ChunkReader& chunk);
  absl::Status DecodeCommand(const CommitView& commit);
  void DecodeStream(const ChunkReader& chunk);
  absl::Status Undefined(TypeId type) const;

  PartitionTypes& types_;
  Sequence sequence_;  // of the commit that is decoded; 0: none
  absl::Time recorded_at_;
  CommandId command_;
  Metadata metadata_;
  bool has_metadata_ = false;
  Offset stream_offset_;  // of the stream that is decoded: its first event of the commit; 0: none
  StreamId stream_;
  Version first_version_;
  const EventType* type_ = nullptr;
  std::vector<std::string> tags_;
  EventView view_;
};

}  // namespace everfold
