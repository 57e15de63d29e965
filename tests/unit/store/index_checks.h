// For tests of the index: random commits, and everything an index says compared with what was written.
#pragma once

#include "everfold/base/random.h"
#include "everfold/store/store_index.h"
#include "tests/unit/store/index_log.h"

namespace everfold {

// Of a few streams and tags that come often and many that come seldom; with several streams, no events, or repeated
// command ids every now and then.
IndexedCommit RandomCommit(RandomSource& random);

// Ends the log's group, and adds it. Expects no error.
void AddGroup(IndexLog& log, StoreIndex& index);

// Expects that the index says of all streams, commands and tags of the log what was written; also in pages, and from
// the middle on.
void ExpectSays(const StoreIndex& index, const IndexLog& log);

}  // namespace everfold
