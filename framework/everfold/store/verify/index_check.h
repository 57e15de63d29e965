// Does the index have what the log has, and nothing else? Each commit's entries are asked for, and all entries counted.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "everfold/event/chunk_reader.h"
#include "everfold/store/store_index.h"
#include "everfold/store/verify/findings.h"

namespace everfold {

// Threading: one thread; the index may be at work. Errors: those that leave the question open.
class IndexCheck {
 public:
  IndexCheck(const StoreIndex& index, Findings& findings)
      : index_(index), findings_(findings), commands_since_(index.CommandsSince()) {}

  // The reader stands on a commit, none of whose streams was read; afterwards all are. Counts the streams that begin.
  absl::Status CheckCommit(ChunkReader& chunk, std::uint64_t& new_streams);
  absl::Status CheckDefinitions(const ChunkReader& chunk);
  // All commits up to the tail have been checked.
  absl::Status End(const LogTail& tail);

 private:
  using Tagged = std::pair<std::string, TaggedEvent>;

  absl::Status CheckCommand(const ChunkReader& chunk);
  absl::Status CheckStream(const ChunkReader& chunk, const StreamId& stream);
  absl::Status CheckPlace(const ChunkReader& chunk, const StreamId& stream, bool again);
  absl::Status CheckNext(const ChunkReader& chunk, const StreamId& stream, const StreamPlace* next, bool again);
  void CheckHole(const ChunkReader& chunk, const StreamId& stream, Version from, Version to);
  absl::Status CollectTags(ChunkReader& chunk);
  absl::Status CheckTags(const ChunkReader& chunk);
  void NoteLatest(const ChunkReader& chunk);
  absl::Status CheckLatest(Sequence upto);
  absl::Status CheckTag(const ChunkReader& chunk, std::size_t begin, std::size_t end);
  void Compare(const char* what, std::uint64_t in_index, std::uint64_t in_log);
  // OK, and a finding, for damage of the index.
  absl::Status Found(const absl::Status& status);

  const StoreIndex& index_;
  Findings& findings_;
  const absl::Time commands_since_;  // earlier ones were forgotten at the beginning
  EntryCounts counts_;               // of the log
  std::vector<Tagged> tagged_;       // of the commit
  absl::flat_hash_map<std::pair<std::string, std::string>, TaggedEvent> latest_;  // by tenant and type
  bool erased_ = false;                                                           // there is a tombstone
  bool damaged_ = false;  // the index cannot be read: it is not asked any more
};

}  // namespace everfold
