// Is there a durable event that an append condition excludes?
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "everfold/event/event_query.h"
#include "everfold/store/store_index.h"

namespace everfold {

// One event of the tenant that the index holds above `after` and that meets the query; nullopt if there is none.
//
// Cost: an item of types alone, or a query without items, a look-up each. An item of one tag and no types, a look-up,
// in memory for tags that were in use a moment ago. An item of a tag and types reads the tag's entries above `after` up
// to the first that matches. One of several tags reads entries of all of them, and passes over those that the others
// leave out: no more than the rarest has, times the number of tags. Errors: those of the index.
absl::StatusOr<std::optional<TaggedEvent>> FindMatch(const StoreIndex& index, std::string_view tenant,
                                                     const EventQuery& query, Sequence after);

struct FoundMatches {
  std::vector<TaggedEvent> events;
  bool more = false;  // there are, or may be, others
};

// The first `limit` such events, by sequence and position, of the items that name tags; of others there may be more.
absl::StatusOr<FoundMatches> FindMatches(const StoreIndex& index, std::string_view tenant, const EventQuery& query,
                                         Sequence after, std::size_t limit);

struct MatchesUpTo {
  std::vector<TaggedEvent> events;
  Sequence upto;
};

// All such events up to `upto`, by sequence and position; or, once about `max_entries` entries of the index were looked
// at, up to a sequence before it, which is above `after`: that of the result. A read that goes on from there comes to
// its end in pieces, each of which takes only so long, also where nothing matches. REQUIRES: each item names tags;
// after < upto.
absl::StatusOr<MatchesUpTo> FindMatchesUpTo(const StoreIndex& index, std::string_view tenant, const EventQuery& query,
                                            Sequence after, Sequence upto, std::size_t max_entries);

}  // namespace everfold
