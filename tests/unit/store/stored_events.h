// Everything a log holds, for tests that compare what a store answered with what became of it.
#pragma once

#include <string>
#include <vector>

#include "everfold/event/event_type.h"
#include "everfold/event/stream_id.h"
#include "everfold/log/partition_log.h"

namespace everfold {

struct StoredEvent {
  Sequence sequence;
  Position position;
  StreamId stream;
  std::string type;
  std::vector<std::string> tags;
};

// By sequence and position. Expects no error.
std::vector<StoredEvent> StoredEvents(const PartitionLog& log, const TypeDictionary& types);

}  // namespace everfold
