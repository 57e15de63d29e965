// An append, checked and encoded as far as it can be without its place in the log: on the caller's thread, so that the
// committer, of which there is one, has little left to do.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "everfold/event/event_type.h"
#include "everfold/event/position.h"
#include "everfold/event/stored_names.h"
#include "everfold/store/append.h"
#include "everfold/store/index/entry_name.h"
#include "everfold/store/index/name_key.h"
#include "everfold/store/prepared_condition.h"

namespace everfold {

struct PreparedStream {
  EntryName name;
  StreamExpectation expectation = StreamExpectation::Any();
  PartitionId partition;
  std::uint32_t events = 0;
  std::size_t part = 0;  // index in PreparedAppend::parts
};

// What the commit adds to one partition.
struct PreparedPart {
  PartitionId partition;
  std::string body;                // CommitBodyWriter
  std::vector<TypeId> type_ids;    // of its events; 0 where no durable chunk has defined the type yet
  std::vector<EventType> unknown;  // the types of those, in order
  bool has_tags = false;           // one of its events
  TypeId command_type = 0;         // 0 where there is none, or it is not defined yet
};

// The tags of an event, in PreparedAppend::tag_keys.
struct EventTagKeys {
  std::uint32_t event = 0;  // of the commit, from 0
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

// What can be done before a commit's place in the log is known is done on the caller's thread.
struct PreparedAppend {
  std::string tenant;
  CommandId command;
  std::optional<EntryName> command_name;  // if it has an id
  std::string outcome = {};               // that is recorded with it
  absl::Time not_before;
  bool of_import = false;               // its command is not looked for
  std::vector<PreparedStream> streams;  // of one part in the order in which its body has them
  std::vector<PreparedPart> parts;
  std::size_t bytes = 0;                         // of all bodies
  std::vector<EventTagKeys> tagged;              // the events that have tags, in order
  std::vector<NameKey> tag_keys;                 // of those
  std::unique_ptr<PreparedCondition> condition;  // nullptr if there is none
  ChainLink link;
  AppendResult result;  // names the streams; the committer tells the rest
};

// Into `prepared`, which is empty. `names` are added to what the append's condition asks for. INVALID_ARGUMENT as
// ValidateAppend says.
absl::Status PrepareAppend(AppendRequest&& request, std::uint32_t partitions, const TypeDictionary& types,
                           const StoredNames& names, PreparedAppend& prepared);

}  // namespace everfold
