// Reads the events that meet a query by tags, in the order in which they were recorded: what a decision across streams
// is made on.
#pragma once

#include <cstddef>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/event_query.h"
#include "everfold/event/position.h"
#include "everfold/event/recorded_event.h"
#include "everfold/log/partition_log.h"
#include "everfold/store/store_index.h"

namespace everfold {

// A part of such a read looks at so many entries of the index, or reads so many bytes of payloads, and at one commit at
// least: some milliseconds.
inline constexpr std::size_t kPartEntries = 4096;
inline constexpr std::size_t kPartBytes = 1 << 20;

// As EventStore::ReadTaggedPart, which adds other names of types to the query before. Holds places of some thousand
// events, and a chunk of some partitions each, however many there are.
absl::StatusOr<Sequence> ReadTaggedPart(const PartitionLog& log, const StoreIndex& index, std::string_view tenant,
                                        const EventQuery& query, Sequence after, Sequence upto,
                                        absl::FunctionRef<absl::Status(const RecordedEvent&)> visit);

}  // namespace everfold
