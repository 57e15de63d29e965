// Reads the events that meet a query by tags, in the order in which they were recorded: what a decision across streams
// is made on.
#pragma once

#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "everfold/event/event_query.h"
#include "everfold/event/position.h"
#include "everfold/event/recorded_event.h"
#include "everfold/log/partition_log.h"
#include "everfold/store/store_index.h"

namespace everfold {

// As EventStore::ReadTagged, which adds other names of types to the query before. Holds places of a thousand events or
// so, and a chunk of some partitions each, however many there are.
absl::Status ReadTaggedEvents(const PartitionLog& log, const StoreIndex& index, std::string_view tenant,
                              const EventQuery& query, Sequence upto,
                              absl::FunctionRef<absl::Status(const RecordedEvent&)> visit);

}  // namespace everfold
