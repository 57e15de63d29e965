#include "everfold/store/tagged_events.h"

#include <algorithm>

#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/store/boundary_check.h"
#include "everfold/store/positioned_events.h"

namespace everfold {
namespace {

absl::Status CheckNamesTags(const EventQuery& query) {
  const bool by_tags =
      std::all_of(query.items.begin(), query.items.end(), [](const QueryItem& item) { return !item.tags.empty(); });
  if (by_tags && !query.all()) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
               "events are read by tags: each item of the query names one; others are read through a subscription");
}

}  // namespace

absl::StatusOr<Sequence> ReadTaggedPart(const PartitionLog& log, const StoreIndex& index, std::string_view tenant,
                                        const EventQuery& query, Sequence after, Sequence upto,
                                        absl::FunctionRef<absl::Status(const RecordedEvent&)> visit) {
  EVERFOLD_RETURN_IF_ERROR(CheckNamesTags(query));
  if (after >= upto) return upto;
  EVERFOLD_ASSIGN_OR_RETURN(const MatchesUpTo found, FindMatchesUpTo(index, tenant, query, after, upto, kPartEntries));
  PositionedEvents events(log, index.types());
  std::size_t bytes = 0;
  Sequence last = after;
  for (const TaggedEvent& event : found.events) {
    const bool is_next_commit = event.sequence > last;
    if (is_next_commit && bytes >= kPartBytes) return last;
    last = event.sequence;
    EVERFOLD_ASSIGN_OR_RETURN(const bool is_there, events.MoveTo(event.position));
    if (!is_there) continue;
    bytes += events.event().event.payload.size();
    EVERFOLD_RETURN_IF_ERROR(visit(events.event()));
  }
  return found.upto;
}

}  // namespace everfold
