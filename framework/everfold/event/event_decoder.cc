#include "everfold/event/event_decoder.h"

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "everfold/event/chunk_layout.h"

namespace everfold {
namespace {

// For what mostly is as it was: comparing costs less than to write it again.
void Become(std::string& to, std::string_view from) {
  if (to != from) to = from;
}

}  // namespace

absl::Status EventDecoder::Decode(const ChunkReader& chunk) {
  if (chunk.commit().sequence != sequence_) EVERFOLD_RETURN_IF_ERROR(DecodeCommit(chunk));
  if (chunk.stream().first_offset != stream_offset_) DecodeStream(chunk);
  view_ = chunk.event();
  type_ = types_.Find(view_.type);
  if (type_ == nullptr) return Undefined(view_.type);
  if (view_.tag_count > 0) return chunk.DecodeTags(tags_);
  tags_.clear();
  return absl::OkStatus();
}

absl::Status EventDecoder::DecodeCommit(const ChunkReader& chunk) {
  sequence_ = Sequence();  // should it fail
  stream_offset_ = Offset();
  const CommitView& commit = chunk.commit();
  recorded_at_ = commit.recorded_at;
  EVERFOLD_RETURN_IF_ERROR(DecodeCommand(commit));
  if (chunk.HasMetadata()) {
    EVERFOLD_ASSIGN_OR_RETURN(metadata_, chunk.DecodeMetadata());
    has_metadata_ = true;
  } else if (has_metadata_) {
    metadata_ = {};
    has_metadata_ = false;
  }
  sequence_ = commit.sequence;
  return absl::OkStatus();
}

absl::Status EventDecoder::DecodeCommand(const CommitView& commit) {
  const EventType* const type = commit.command_type == 0 ? nullptr : types_.Find(commit.command_type);
  if (type == nullptr && commit.command_type != 0) return Undefined(commit.command_type);
  Become(command_.type, type == nullptr ? std::string_view() : type->name);
  Become(command_.id, commit.command_id);
  Become(command_.fingerprint, commit.command_fingerprint);
  return absl::OkStatus();
}

void EventDecoder::DecodeStream(const ChunkReader& chunk) {
  const StreamView& stream = chunk.stream();
  Become(stream_.tenant, chunk.commit().tenant);
  Become(stream_.aggregate, stream.aggregate);
  stream_.id = stream.id;
  first_version_ = stream.first_version;
  stream_offset_ = stream.first_offset;
}

absl::Status EventDecoder::Undefined(TypeId type) const {
  return DamagedChunk(absl::StrFormat("type %d is not defined in partition %d", type, types_.partition().value()));
}

}  // namespace everfold
