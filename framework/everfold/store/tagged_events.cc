#include "everfold/store/tagged_events.h"

#include <algorithm>

#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/store/append.h"
#include "everfold/store/boundary_check.h"
#include "everfold/store/positioned_events.h"

namespace everfold {
namespace {

// More than one commit can have, so that a page always holds a whole one.
constexpr std::size_t kPageEvents = 2 * kMaxEventsPerCommit;

absl::Status CheckNamesTags(const EventQuery& query) {
  const bool by_tags =
      std::all_of(query.items.begin(), query.items.end(), [](const QueryItem& item) { return !item.tags.empty(); });
  if (by_tags && !query.all()) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
               "events are read by tags: each item of the query names one; others are read through a subscription");
}

// The last commit of a page that does not hold all may be cut: the next page begins with it.
void DropCutCommit(FoundMatches& found) {
  if (!found.more) return;
  const Sequence last = found.events.back().sequence;
  while (!found.events.empty() && found.events.back().sequence == last) found.events.pop_back();
}

}  // namespace

absl::Status ReadTaggedEvents(const PartitionLog& log, const StoreIndex& index, std::string_view tenant,
                              const EventQuery& query, Sequence upto,
                              absl::FunctionRef<absl::Status(const RecordedEvent&)> visit) {
  EVERFOLD_RETURN_IF_ERROR(CheckNamesTags(query));
  PositionedEvents events(log, index.types());
  Sequence after;
  while (after < upto) {
    EVERFOLD_ASSIGN_OR_RETURN(FoundMatches found, FindMatches(index, tenant, query, after, kPageEvents));
    DropCutCommit(found);
    for (const TaggedEvent& event : found.events) {
      if (event.sequence > upto) return absl::OkStatus();
      EVERFOLD_ASSIGN_OR_RETURN(const bool is_there, events.MoveTo(event.position));
      if (is_there) EVERFOLD_RETURN_IF_ERROR(visit(events.event()));
    }
    if (!found.more) return absl::OkStatus();
    if (found.events.empty()) {
      return Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
                   "the index has more tags of a commit than it can have");
    }
    after = found.events.back().sequence;
  }
  return absl::OkStatus();
}

}  // namespace everfold
