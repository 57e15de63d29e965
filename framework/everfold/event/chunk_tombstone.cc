#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/chunk_bytes.h"
#include "everfold/event/chunk_layout.h"
#include "everfold/event/chunk_reader.h"
#include "everfold/event/chunk_writer.h"

namespace everfold {
namespace {

// The streams of a tombstone: their first versions, and what else it says of them.
struct ErasedStreams {
  std::string first_versions;
  std::string rest;
};

ErasedStreams EraseStreams(ChunkReader& chunk) {
  ErasedStreams erased;
  while (chunk.NextStream()) {
    const StreamView& stream = chunk.stream();
    AppendVarint(erased.first_versions, stream.first_version.value());
    AppendString(erased.rest, stream.aggregate);
    AppendString(erased.rest, stream.id);
    AppendVarint(erased.rest, stream.event_count);
  }
  return erased;
}

std::string TombstoneOf(ChunkReader& chunk, std::string_view reason) {
  const CommitView& commit = chunk.commit();
  const Digest leaf = chunk.leaf();
  const ErasedStreams streams = EraseStreams(chunk);
  std::string tombstone(1, static_cast<char>(CommitKind::kTombstone));
  AppendVarint(tombstone, commit.sequence.value() - chunk.header().first_sequence.value());
  AppendVarint(tombstone,
               Zigzag(absl::ToUnixMicros(commit.recorded_at) - absl::ToUnixMicros(chunk.header().base_time)));
  AppendVarint(tombstone, commit.stream_count);
  tombstone.append(streams.first_versions);
  AppendVarint(tombstone, commit.event_count);
  tombstone.append(reinterpret_cast<const char*>(leaf.data()), leaf.size());
  AppendString(tombstone, reason);
  AppendString(tombstone, commit.tenant);
  return tombstone + streams.rest;
}

absl::Status CheckHolds(const ChunkHeader& header, Sequence sequence, bool found) {
  if (found) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
               absl::StrFormat("chunk %d of partition %d has no commit %d; it has %d commits from %d to %d",
                               header.chunk_number, header.partition.value(), sequence.value(), header.commit_count,
                               header.first_sequence.value(), header.last_sequence.value()));
}

absl::Status CheckSize(std::size_t bytes) {
  if (bytes <= kMaxChunkBytes) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, reason::kLimitExceeded,
               absl::StrFormat("with this reason the chunk would have %d bytes; it can have %d", bytes, kMaxChunkBytes),
               {{"limit", std::to_string(kMaxChunkBytes)}, {"actual", std::to_string(bytes)}});
}

}  // namespace

absl::StatusOr<std::string> WithTombstone(std::string_view chunk, Sequence sequence, std::string_view reason) {
  EVERFOLD_ASSIGN_OR_RETURN(ChunkReader reader, ChunkReader::Open(chunk));
  std::string erased(chunk.substr(0, kChunkHeaderBytes));
  erased.append(reader.definition_bytes());
  bool found = false;
  while (reader.NextCommit()) {
    if (reader.commit().sequence == sequence) {
      found = true;
      AppendString(erased, TombstoneOf(reader, reason));
    } else {
      AppendString(erased, reader.commit_bytes());
    }
  }
  EVERFOLD_RETURN_IF_ERROR(reader.status());
  EVERFOLD_RETURN_IF_ERROR(CheckHolds(reader.header(), sequence, found));
  EVERFOLD_RETURN_IF_ERROR(CheckSize(erased.size()));
  SealChunk(erased);
  return erased;
}

}  // namespace everfold
