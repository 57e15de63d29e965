#include "everfold/store/boundary_check.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "everfold/base/status.h"
#include "everfold/store/index/index_entries.h"

namespace everfold {
namespace {

// The first page is small: most conditions that do not hold fail at once.
constexpr std::size_t kFirstPage = 4;
constexpr std::size_t kLargestPage = 512;

// Walks the events that carry one tag, in order.
class TagWalk {
 public:
  TagWalk(const StoreIndex& index, std::string_view tenant, const std::string& tag, Sequence after)
      : index_(index), tenant_(tenant), tag_(tag), read_after_(after) {}

  // Entries of the index that were read.
  std::size_t looked_at() const { return looked_at_; }

  // Moves to the first event at or behind `wanted`; nullptr if there is none.
  absl::StatusOr<const TaggedEvent*> Seek(const TaggedEvent& wanted) {
    while (true) {
      while (at_ < page_.size() && IsBefore(page_[at_], wanted)) ++at_;
      if (at_ < page_.size()) return &page_[at_];
      if (ended_) return nullptr;
      EVERFOLD_RETURN_IF_ERROR(ReadPage(wanted.sequence));
    }
  }

 private:
  // A commit that is cut by the page's end is read again, in a larger page.
  absl::Status ReadPage(Sequence wanted) {
    if (wanted > read_after_.Next()) read_after_ = Sequence(wanted.value() - 1);
    EVERFOLD_ASSIGN_OR_RETURN(page_, index_.TaggedAfter(tenant_, tag_, read_after_, limit_));
    at_ = 0;
    looked_at_ += page_.size();
    ended_ = page_.size() < limit_;
    if (!ended_) {
      const Sequence last = page_.back().sequence;
      const bool one_commit = page_.front().sequence == last;
      if (one_commit) {
        limit_ *= 2;
        return ReadPage(wanted);
      }
      while (page_.back().sequence == last) page_.pop_back();
      read_after_ = page_.back().sequence;
    }
    limit_ = std::max(limit_, std::min(2 * limit_, kLargestPage));
    return absl::OkStatus();
  }

  const StoreIndex& index_;
  const std::string_view tenant_;
  const std::string& tag_;
  Sequence read_after_;
  std::size_t limit_ = kFirstPage;
  bool ended_ = false;
  std::vector<TaggedEvent> page_;
  std::size_t at_ = 0;
  std::size_t looked_at_ = 0;
};

// Where a search ends at the latest.
struct Bounds {
  std::size_t events = std::numeric_limits<std::size_t>::max();
  Sequence upto = Sequence(std::numeric_limits<std::uint64_t>::max());
  std::size_t entries = std::numeric_limits<std::size_t>::max();  // once it has come beyond the first commit, too
};

class ItemMatch {
 public:
  ItemMatch(const StoreIndex& index, std::string_view tenant, const QueryItem& item, Sequence after)
      : index_(index), tenant_(tenant), item_(item), after_(after) {}

  absl::StatusOr<std::optional<TaggedEvent>> Find() const {
    if (item_.tags.empty()) return FindByType();
    EVERFOLD_ASSIGN_OR_RETURN(const MatchesUpTo found, FindByTags({.events = 1}));
    if (found.events.empty()) return std::nullopt;
    return found.events.front();
  }

  // REQUIRES: the item has tags. All walks move on to the furthest one, until they stand on the same event.
  absl::StatusOr<MatchesUpTo> FindByTags(const Bounds& bounds) const {
    MatchesUpTo found{.events = {}, .upto = bounds.upto};
    std::vector<TagWalk> walks;
    for (const std::string& tag : item_.tags) walks.emplace_back(index_, tenant_, tag, after_);
    TaggedEvent wanted{after_.Next(), {}, 0};
    while (found.events.size() < bounds.events) {
      std::size_t agree = 0;
      for (TagWalk& walk : walks) {
        EVERFOLD_ASSIGN_OR_RETURN(const TaggedEvent* const next, walk.Seek(wanted));
        if (next == nullptr || next->sequence > bounds.upto) return found;
        agree = IsBefore(wanted, *next) ? 1 : agree + 1;
        wanted = *next;
      }
      if (wanted.sequence > after_.Next() && LookedAt(walks) >= bounds.entries) {
        found.upto = Sequence(wanted.sequence.value() - 1);
        return found;
      }
      if (agree < walks.size()) continue;
      if (HasType(wanted)) found.events.push_back(wanted);
      wanted.position.offset = wanted.position.offset.Next();
    }
    return found;
  }

 private:
  absl::StatusOr<std::optional<TaggedEvent>> FindByType() const {
    for (const std::string& type : item_.types) {
      EVERFOLD_ASSIGN_OR_RETURN(const std::optional<TaggedEvent> latest, index_.LatestOf(tenant_, type));
      if (latest.has_value() && latest->sequence > after_) return latest;
    }
    return std::nullopt;
  }

  static std::size_t LookedAt(const std::vector<TagWalk>& walks) {
    std::size_t entries = 0;
    for (const TagWalk& walk : walks) entries += walk.looked_at();
    return entries;
  }

  bool HasType(const TaggedEvent& event) const {
    if (item_.types.empty()) return true;
    const EventType* const type = index_.types().Find(event.position.partition, event.type);
    return type != nullptr && std::find(item_.types.begin(), item_.types.end(), type->name) != item_.types.end();
  }

  const StoreIndex& index_;
  const std::string_view tenant_;
  const QueryItem& item_;
  const Sequence after_;
};

// Each once.
void PutInOrder(std::vector<TaggedEvent>& events) {
  std::sort(events.begin(), events.end(), IsBefore);
  events.erase(std::unique(events.begin(), events.end()), events.end());
}

}  // namespace

absl::StatusOr<std::optional<TaggedEvent>> FindMatch(const StoreIndex& index, std::string_view tenant,
                                                     const EventQuery& query, Sequence after) {
  if (query.all()) {
    EVERFOLD_ASSIGN_OR_RETURN(const std::optional<TaggedEvent> latest, index.LatestOf(tenant, ""));
    return latest.has_value() && latest->sequence > after ? latest : std::nullopt;
  }
  for (const QueryItem& item : query.items) {
    EVERFOLD_ASSIGN_OR_RETURN(const std::optional<TaggedEvent> match, ItemMatch(index, tenant, item, after).Find());
    if (match.has_value()) return match;
  }
  return std::nullopt;
}

absl::StatusOr<FoundMatches> FindMatches(const StoreIndex& index, std::string_view tenant, const EventQuery& query,
                                         Sequence after, std::size_t limit) {
  FoundMatches found;
  found.more = query.all();
  for (const QueryItem& item : query.items) {
    found.more = found.more || item.tags.empty();
    if (item.tags.empty()) continue;
    EVERFOLD_ASSIGN_OR_RETURN(const MatchesUpTo matches,
                              ItemMatch(index, tenant, item, after).FindByTags({.events = limit + 1}));
    found.events.insert(found.events.end(), matches.events.begin(), matches.events.end());
  }
  PutInOrder(found.events);
  if (found.events.size() > limit) {
    found.events.resize(limit);
    found.more = true;
  }
  return found;
}

absl::StatusOr<MatchesUpTo> FindMatchesUpTo(const StoreIndex& index, std::string_view tenant, const EventQuery& query,
                                            Sequence after, Sequence upto, std::size_t max_entries) {
  MatchesUpTo found{.events = {}, .upto = upto};
  for (const QueryItem& item : query.items) {
    // What one item does not come to, the others need not find yet.
    EVERFOLD_ASSIGN_OR_RETURN(
        const MatchesUpTo matches,
        ItemMatch(index, tenant, item, after).FindByTags({.upto = found.upto, .entries = max_entries}));
    found.upto = matches.upto;
    found.events.insert(found.events.end(), matches.events.begin(), matches.events.end());
  }
  PutInOrder(found.events);
  std::erase_if(found.events, [&found](const TaggedEvent& event) { return event.sequence > found.upto; });
  return found;
}

}  // namespace everfold
