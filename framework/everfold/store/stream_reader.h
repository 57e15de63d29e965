// Reading one stream: from the index to the chunks that hold its events.
#pragma once

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "everfold/event/recorded_event.h"
#include "everfold/log/partition_log.h"
#include "everfold/store/store_index.h"
#include "everfold/store/stream_range.h"

namespace everfold {

// As EventStore::ReadStream. DATA_LOSS if the log does not hold what the index says.
absl::Status ReadStreamEvents(const PartitionLog& log, const StoreIndex& index, const StreamId& stream,
                              const StreamRange& range, absl::FunctionRef<absl::Status(const RecordedEvent&)> visit);

}  // namespace everfold
