// Takes chunks into the index's memory, and checks that each follows on what is there.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/chunk_reader.h"
#include "everfold/event/event_type.h"
#include "everfold/store/index/command_digest.h"
#include "everfold/store/index/command_filter.h"
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
  CommandFilter& filter;
  Day first_command_day;          // commands of earlier days are left out
  const IndexDatabase* database;  // nullptr: all there is is in memory
};

// Entries are gathered in batches: while one is read, the places in memory of those before are on their way into the
// processor's cache. One by one each would wait for several.
// Threading: one thread. Lifetime: of one call.
class ChunkIntake {
 public:
  // As StoreIndex::Add. REQUIRES: nobody else is at the target.
  static absl::Status Take(std::string_view bytes, const IntakeTarget& target);

 private:
  struct NewStream {
    EntryName name;
    StreamView view;
  };
  struct NewCommand {
    CommandDigest digest;
    CommandEntry entry;
  };

  ChunkIntake(ChunkReader& chunk, const IntakeTarget& target);

  absl::Status CheckFollows() const;
  absl::Status Define();
  absl::Status TakeCommits();
  absl::Status TakeCommit();
  absl::Status TakeCommand();
  absl::Status TakeStream();
  absl::Status TakeTags();
  absl::Status NoteLatest(const EventView& event);
  absl::Status PutBatch();
  absl::Status PutStream(const NewStream& stream);
  std::optional<Version> VersionOf(const EntryName& stream) const;
  absl::Status CheckVersion(const StreamView& stream, Version before);
  absl::Status Broken(const std::string& what) const;

  ChunkReader& chunk_;
  const IntakeTarget& to_;
  const PartitionId partition_;
  TypeId last_type_ = 0;  // that is defined
  std::vector<NewStream> streams_;
  std::vector<NewCommand> commands_;
  TypeId command_type_id_ = 0;
  const EventType* command_type_ = nullptr;  // of the last commit that had a command
};

}  // namespace everfold
