#include "tests/bench/log_replay.h"

#include <memory>

#include "everfold/base/status.h"
#include "everfold/event/chunk_reader.h"
#include "tests/bench/store_target.h"

namespace everfold::bench {
namespace {

absl::Status TakeCommit(ChunkReader& chunk, ReplaySink& sink) {
  while (chunk.NextStream()) {
    while (chunk.NextEvent()) EVERFOLD_RETURN_IF_ERROR(sink.TakeEvent(chunk.event().payload));
  }
  return absl::OkStatus();
}

absl::Status TakeEvents(ChunkReader& chunk, ReplaySink& sink) {
  while (chunk.NextCommit()) EVERFOLD_RETURN_IF_ERROR(TakeCommit(chunk, sink));
  return chunk.status();
}

// A commit that holds a wanted event may hold others, too.
absl::Status TakeWanted(ChunkReader& chunk, const WantedTypes& wanted, ReplaySink& sink) {
  while (chunk.NextCommitOf(wanted)) {
    while (chunk.NextStream()) {
      while (chunk.NextEvent()) {
        const TypeId type = chunk.event().type;
        if (type < wanted.size() && wanted[type]) EVERFOLD_RETURN_IF_ERROR(sink.TakeEvent(chunk.event().payload));
      }
    }
  }
  return chunk.status();
}

absl::Status TakeChunk(std::string_view bytes, Replay replay, const WantedTypes& wanted, ChunkReader& chunk,
                       ReplaySink& sink) {
  sink.TakeChunk(bytes);
  if (replay == Replay::kChunks) return absl::OkStatus();
  EVERFOLD_RETURN_IF_ERROR(chunk.Reset(bytes));
  return replay == Replay::kParseOne ? TakeWanted(chunk, wanted, sink) : TakeEvents(chunk, sink);
}

absl::Status ReadPartition(const PartitionLog& log, PartitionId partition, Replay replay, const WantedTypes& wanted,
                           ReplaySink& sink) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<ChunkCursor> cursor, log.Read(partition, Offset(0)));
  ChunkReader chunk;
  while (true) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool more, cursor->Next());
    if (!more) return absl::OkStatus();
    EVERFOLD_RETURN_IF_ERROR(TakeChunk(cursor->chunk(), replay, wanted, chunk, sink));
  }
}

WantedTypes WantedIn(const TypeDictionary& types, PartitionId partition) {
  WantedTypes wanted(types.LastId(partition) + 1, false);
  wanted[types.IdOf(partition, WantedType())] = true;
  wanted[0] = false;  // a partition that does not know the type
  return wanted;
}

}  // namespace

const EventType& WantedType() {
  static const EventType type = EventTypeOf(7);
  return type;
}

absl::StatusOr<ReplayResult> ReplayLog(const PartitionLog& log, const TypeDictionary& types, Replay replay,
                                       int threads) {
  return OverPartitions(log.identity().partitions, threads, replay, [&](std::uint32_t number, ReplaySink& sink) {
    const PartitionId partition(number);
    return ReadPartition(log, partition, replay, WantedIn(types, partition), sink);
  });
}

}  // namespace everfold::bench
