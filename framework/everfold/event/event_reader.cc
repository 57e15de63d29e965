#include "everfold/event/event_reader.h"

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "everfold/event/chunk_layout.h"

namespace everfold {

absl::Status EventReader::Open(std::string_view chunk, Offset after) {
  in_commit_ = in_stream_ = false;
  EVERFOLD_RETURN_IF_ERROR(chunk_.Reset(chunk));
  EVERFOLD_RETURN_IF_ERROR(CheckChunkIsOurs());
  filter_.Refresh();
  after_ = after;
  return absl::OkStatus();
}

absl::Status EventReader::CheckChunkIsOurs() {
  const PartitionId partition = chunk_.header().partition;
  if (partition != types_.partition()) {
    return DamagedChunk(absl::StrFormat("it is one of partition %d, and stands in partition %d", partition.value(),
                                        types_.partition().value()));
  }
  for (const TypeDefinition& definition : chunk_.definitions()) {
    const EventType* const known = types_.Find(definition.id);
    if (known == nullptr || *known == definition.type) continue;
    return DamagedChunk(absl::StrFormat("it defines type %d as %s, which the partition knows as %s", definition.id,
                                        definition.type.name, known->name));
  }
  return absl::OkStatus();
}

bool EventReader::Next() {
  do {
    while (in_stream_ && chunk_.NextEvent()) {
      if (chunk_.event().offset > after_ && filter_.Wants(chunk_.event())) return true;
    }
  } while (NextStream());
  return false;
}

bool EventReader::NextStream() {
  in_stream_ = false;
  do {
    while (in_commit_ && chunk_.NextStream()) {
      in_stream_ = filter_.Wants(chunk_.stream());
      if (in_stream_) return true;
    }
  } while (NextCommit());
  return false;
}

bool EventReader::NextCommit() {
  in_commit_ = filter_.NextCommit(chunk_);
  return in_commit_;
}

}  // namespace everfold
