// Tells who met a conflict what had been missed, so that it can decide again without another read.
#pragma once

#include <memory>

#include "everfold/log/partition_log.h"
#include "everfold/store/event_store.h"
#include "everfold/store/store_index.h"

namespace everfold {

// `done`, which adds an everfold.v1.MissedEvents to the statuses VERSION_CONFLICT and CONDITION_FAILED on its way, if
// the request asks for it: the events of the stream above the expected version; or those that the condition excludes,
// as far as its items name tags. Reads them where it is called. A conflict stays a conflict: where they cannot be read,
// the detail says why, and has what was read before.
// Lifetime: the log outlives it.
EventStore::AppendDone TellingMissedEvents(const AppendRequest& request, const StoredNames& names,
                                           const PartitionLog& log, std::shared_ptr<const StoreIndex> index,
                                           EventStore::AppendDone done);

}  // namespace everfold
