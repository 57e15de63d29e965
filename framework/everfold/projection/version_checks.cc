#include "everfold/projection/version_checks.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/counted.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/projection/event_handling.h"

namespace everfold {
namespace {

EventTally HandledBy(const EventFolder& folder) {
  EventTally handled;
  for (const PartitionTally& tally : folder.tallies()) handled += tally.All();
  return handled;
}

absl::Status IsBehindAtTheEnd(const NextVersion& next) {
  return Error(absl::StatusCode::kInternal, reason::kReadModelFailed,
               absl::StrFormat("version %d has read the whole log and is behind the current one", next.version()));
}

absl::Status HasHandledOthers(const NextVersion& next) {
  return Error(
      absl::StatusCode::kInternal, reason::kReadModelFailed,
      absl::StrFormat("version %d has read as much as the current one, and handled other events: one of them is "
                      "wrong",
                      next.version()));
}

// Where as many events may be others: in each partition to where the one that is further there has come.
absl::StatusOr<std::uint64_t> BringToSameOffsets(EventFolder& current, NextVersion& next,
                                                 std::size_t max_batch_events) {
  Checkpoint end = current.checkpoint();
  for (std::size_t i = 0; i < end.offsets.size(); ++i) {
    end.offsets[i] = std::max(end.offsets[i], next.folder->position().offsets[i]);
  }
  EVERFOLD_RETURN_IF_ERROR(current.FoldTo(end, max_batch_events));
  EVERFOLD_RETURN_IF_ERROR(next.folder->FoldTo(end, max_batch_events));
  const EventTally handled = HandledBy(current);
  if (handled == HandledBy(*next.folder)) return handled.count;
  return HasHandledOthers(next);
}

// Of those on record that the version has met; of each partition.
absl::StatusOr<std::vector<EventTally>> TallyOfDrops(const EventStore& store, const ProjectionType& type,
                                                     const EventFolder& folder) {
  std::vector<EventTally> tallies(folder.tallies().size());
  const EventRoutes routes(type);
  for (const EventName& dropped : folder.dropped()) {
    const StreamRange one{.after = Version(dropped.version.value() - 1), .upto = dropped.version};
    const absl::Status read = store.ReadStream(dropped.stream, one, [&](const RecordedEvent& event) {
      const std::size_t partition = event.position.partition.value();
      const bool is_met = event.position.offset <= folder.checkpoint().offsets[partition];
      if (is_met && routes.Find(event.event.type) != nullptr) tallies[partition] += TallyOf(event);
      return absl::OkStatus();
    });
    if (absl::IsOutOfRange(read)) continue;  // of a log that has less of the stream
    EVERFOLD_RETURN_IF_ERROR(read);
  }
  return tallies;
}

}  // namespace

absl::Status BringTo(const Checkpoint& target, NextVersion& next, std::size_t max_batch_events) {
  EVERFOLD_RETURN_IF_ERROR(next.ApplyDrops());
  while (!HasReached(next.folder->checkpoint(), target)) {
    EVERFOLD_ASSIGN_OR_RETURN(const PullResult folded, next.Fold(max_batch_events));
    if (folded.caught_up && !HasReached(next.folder->checkpoint(), target)) return IsBehindAtTheEnd(next);
  }
  return absl::OkStatus();
}

absl::Status CheckParksNoMore(const std::string& projection, NextVersion& next,
                              const absl::flat_hash_set<std::string>& parked_now, const Checkpoint& met) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<ParkedKey> keys, next.folder->DescribeParked());
  for (const ParkedKey& key : keys) {
    if (parked_now.contains(key.key)) continue;
    EVERFOLD_ASSIGN_OR_RETURN(const std::vector<ParkedEvent> first, next.folder->ParkedEventsOf(key.key, 1));
    const bool is_new = first.empty() || first[0].position.offset > met.offsets[first[0].position.partition.value()];
    if (is_new) continue;
    return Error(absl::StatusCode::kFailedPrecondition, reason::kReadModelParksMore,
                 absl::StrFormat("version %d of projection %s parks \"%s\", which the current one does not, %s",
                                 next.version(), projection, key.key, key.error),
                 {{"projection", projection}, {"key", key.key}});
  }
  return absl::OkStatus();
}

absl::StatusOr<std::uint64_t> BringToSameEvents(const ProjectionType& type, EventFolder& current, NextVersion& next,
                                                std::size_t max_batch_events) {
  EVERFOLD_RETURN_IF_ERROR(next.ApplyDrops());
  EVERFOLD_RETURN_IF_ERROR(current.CommitHeld());
  if (type.order == ProjectionOrder::kPerPartition) return BringToSameOffsets(current, next, max_batch_events);
  while (true) {
    const EventTally by_current = HandledBy(current);
    const EventTally by_next = HandledBy(*next.folder);
    if (by_current == by_next) return by_current.count;
    if (by_current.count == by_next.count) return HasHandledOthers(next);
    EventFolder& behind = by_current.count < by_next.count ? current : *next.folder;
    const std::uint64_t missing = std::max(by_current.count, by_next.count) - std::min(by_current.count, by_next.count);
    EVERFOLD_ASSIGN_OR_RETURN(
        const PullResult folded,
        behind.FoldBatch(static_cast<std::size_t>(std::min<std::uint64_t>(missing, max_batch_events))));
    if (folded.caught_up && folded.events == 0) return IsBehindAtTheEnd(next);
  }
}

absl::StatusOr<std::string> FindUnheededDrops(const EventStore& store, const ProjectionType& type,
                                              const EventFolder& folder) {
  if (folder.dropped().empty()) return std::string();
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<EventTally> drops, TallyOfDrops(store, type, folder));
  EventTally on_record, left_out;
  bool is_same = true;
  for (std::size_t i = 0; i < drops.size(); ++i) {
    is_same = is_same && drops[i] == folder.tallies()[i].dropped;
    on_record += drops[i];
    left_out += folder.tallies()[i].dropped;
  }
  if (is_same) return std::string();
  if (on_record.count <= left_out.count) return std::string("its file leaves out other events than those dropped");
  return absl::StrFormat("its file leaves out %d of %s", left_out.count, Counted(on_record.count, "dropped event"));
}

}  // namespace everfold
