// Writing of chunks, in two steps: whoever appends encodes what does not depend on the commit's place in the log, on a
// thread of its own; the committer adds the place and copies the rest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "everfold/event/chain.h"
#include "everfold/event/chunk_header.h"
#include "everfold/event/commit.h"
#include "everfold/event/event_type.h"

namespace everfold {

// Encodes the body of a commit: first Begin, then for each stream Stream and its Events. One body may be written by
// several writers in turn, each of whole streams.
class CommitBodyWriter {
 public:
  // Appends to `out`, which outlives the writer.
  explicit CommitBodyWriter(std::string& out) : out_(out) {}
  // REQUIRES: every stream that was begun has its events.
  ~CommitBodyWriter();
  CommitBodyWriter(const CommitBodyWriter&) = delete;
  CommitBodyWriter& operator=(const CommitBodyWriter&) = delete;

  // The command's type is not part of the body: it is told by number (PlacedCommit). A command without an id has no
  // identity, and its fingerprint is not kept.
  void Begin(std::string_view tenant, const CommandId& command, const Metadata& metadata);
  void Stream(const StreamId& stream, std::size_t events);
  // Without an event time it is the commit's recorded time.
  void Event(PayloadCodec codec, std::optional<absl::Time> event_time, const std::vector<std::string>& tags,
             std::string_view payload);

 private:
  std::string& out_;
  std::size_t events_left_ = 0;  // of the stream
};

// A commit's body and its place in the log.
struct PlacedCommit {
  Sequence sequence;
  absl::Time recorded_at;  // not before that of the commit before
  TypeId command_type = 0;
  absl::Span<const Version> first_versions;  // one a stream
  absl::Span<const TypeId> event_types;      // one an event
  std::string_view body;
};

// Builds one chunk after the other. Threading: one thread.
class ChunkWriter {
 public:
  // Of `header` only partition, writer epoch, chunk number and first offset count. REQUIRES: no commit was added since
  // the last Finish.
  void Begin(const ChunkHeader& header, const Chain& previous);
  // REQUIRES: ids are dense.
  void Define(const TypeDefinition& definition);
  // REQUIRES: sequences grow, times do not step back, and the body has as many streams and events as there are versions
  // and types.
  void Add(const PlacedCommit& commit);
  bool empty() const { return header_.commit_count == 0; }
  std::size_t bytes() const;  // that Finish would return now
  // The chunk, and the chain as of it. REQUIRES: not empty, bytes() <= kMaxChunkBytes, and where there are definitions
  // no type beyond them is used.
  std::string Finish(Chain& chain);

 private:
  void CountIn(const PlacedCommit& commit);
  void EncodePlace(const PlacedCommit& commit);

  ChunkHeader header_;
  Chain previous_;
  std::int64_t base_micros_ = 0;
  std::int64_t last_micros_ = 0;
  TypeId last_defined_ = 0;
  TypeId last_used_ = 0;
  std::uint32_t definition_count_ = 0;
  std::string definitions_;
  std::string place_;  // of the commit that is being added, encoded
  std::string commits_;
  std::string leaves_;  // 32 bytes a commit
};

// The chunk with one of its commits replaced by a tombstone, which keeps where and when it was, how many events of
// which versions it added to which streams, and its leaf, and says why. Names of tenant and streams stay, so that no
// version is ever given anew; all else is gone. Chain and offsets stay what they were. What is a tombstone already gets
// the new reason. INVALID_ARGUMENT if there is no such commit, or the reason is too long for a chunk; DATA_LOSS if the
// chunk is damaged.
absl::StatusOr<std::string> WithTombstone(std::string_view chunk, Sequence sequence, std::string_view reason);

}  // namespace everfold
