// Takes chunks into the index's memory, and checks that each follows on what is there.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/chunk_reader.h"
#include "everfold/event/event_type.h"
#include "everfold/store/index/command_digest.h"
#include "everfold/store/index/index_checkpoint.h"
#include "everfold/store/index/index_database.h"
#include "everfold/store/index/index_memory.h"

namespace everfold {

// What a chunk goes into.
struct IntakeTarget {
  IndexCheckpoint& reached;
  IndexMemory& memory;
  TypeDictionary& types;
  const CommandDigester& digester;
  const IndexDatabase* database;  // nullptr: all there is is in memory
};

// Threading: one thread. Lifetime: of one call.
class ChunkIntake {
 public:
  // As StoreIndex::Add. REQUIRES: nobody else is at the target.
  static absl::Status Take(std::string_view bytes, const IntakeTarget& target);

 private:
  ChunkIntake(ChunkReader& chunk, const IntakeTarget& target);

  absl::Status CheckFollows() const;
  absl::Status Define();
  absl::Status TakeCommits();
  absl::Status TakeCommit();
  absl::Status TakeCommand();
  absl::Status TakeStream();
  absl::Status TakeTags();
  absl::StatusOr<Version> VersionOf(const EntryName& stream) const;
  absl::Status CheckVersion(Version before);
  absl::Status Broken(const std::string& what) const;

  ChunkReader& chunk_;
  const IntakeTarget& to_;
  const PartitionId partition_;
  TypeId command_type_id_ = 0;
  const EventType* command_type_ = nullptr;  // of the last commit that had a command
};

}  // namespace everfold
