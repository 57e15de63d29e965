// A group of commits as whoever wrote it knows it: the index takes it in without reading its chunks.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "everfold/log/partition_log.h"
#include "everfold/store/index/entry_name.h"
#include "everfold/store/index/index_entries.h"

namespace everfold {

struct WrittenStream {
  const EntryName* name;
  StreamEntry entry;
};

struct WrittenCommand {
  CommandKey key;
  CommandEntry entry;
};

struct WrittenEvent {
  std::string_view tenant;
  TaggedEvent event;
};

// Commits without tags, in chunks without type definitions. Lifetime: of the names.
struct WrittenGroup {
  std::vector<WrittenStream> streams;  // with events, in the order of commits
  std::vector<WrittenEvent> events;
  std::vector<WrittenCommand> commands;  // one for each partition that a commit with a command id touches
  std::vector<std::pair<PartitionId, PartitionHead>> heads;
  Sequence last_sequence;
  absl::Time last_recorded_at;
};

}  // namespace everfold
