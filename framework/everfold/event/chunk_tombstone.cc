#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/chunk_bytes.h"
#include "everfold/event/chunk_layout.h"
#include "everfold/event/chunk_reader.h"
#include "everfold/event/chunk_writer.h"

namespace everfold {
namespace {

std::string TombstoneOf(const ChunkReader& chunk, std::string_view reason) {
  const Digest leaf = chunk.leaf();
  std::string tombstone(1, static_cast<char>(CommitKind::kTombstone));
  AppendVarint(tombstone, chunk.commit().sequence.value() - chunk.header().first_sequence.value());
  AppendVarint(tombstone, chunk.commit().event_count);
  tombstone.append(reinterpret_cast<const char*>(leaf.data()), leaf.size());
  AppendString(tombstone, reason);
  return tombstone;
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
    const bool here = reader.commit().sequence == sequence;
    found = found || here;
    if (here) {
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
