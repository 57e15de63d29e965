#include "everfold/store/boundary_window.h"

#include <algorithm>
#include <utility>

#include "everfold/base/status.h"
#include "everfold/store/boundary_check.h"

namespace everfold {
namespace {

// Two pages of about so many events are kept, and whatever is on its way.
constexpr std::size_t kEventsOfPage = 16 << 10;
constexpr int kGroupsWithoutCondition = 64;

}  // namespace

absl::Status BoundaryWindow::Check(const PreparedAppend& request) {
  if (request.condition == nullptr) return absl::OkStatus();
  kept_groups_ = kGroupsWithoutCondition;
  EVERFOLD_ASSIGN_OR_RETURN(const std::optional<TaggedEvent> match, FindMatch(request));
  return match.has_value() ? ConditionFailed(*request.condition, *match) : absl::OkStatus();
}

absl::StatusOr<std::optional<TaggedEvent>> BoundaryWindow::FindMatch(const PreparedAppend& request) {
  const PreparedCondition& condition = *request.condition;
  if (condition.match.has_value()) return condition.match;
  if (condition.checked < begin_) {
    EVERFOLD_ASSIGN_OR_RETURN(
        const std::optional<TaggedEvent> match,
        everfold::FindMatch(index_, request.tenant, condition.condition.fail_if_events_match, condition.checked));
    if (match.has_value()) return match;
  }
  TakePlaced();
  const Event* found = filling_.Find(condition);
  if (found == nullptr) found = older_.Find(condition);
  if (found == nullptr) return std::nullopt;
  return found->at;
}

void BoundaryWindow::Settle(Sequence last) {
  if (kept_groups_ == 0) return Forget(last);
  --kept_groups_;
  TakePlaced();
  if (filling_.events.size() >= kEventsOfPage) Rotate(last);
}

void BoundaryWindow::Abandon(Sequence settled) {
  placed_.clear();
  BeginBehind(settled);
}

// Commits that are on their way stay: those in the pages, and behind them those that are not taken yet.
void BoundaryWindow::Forget(Sequence settled) {
  if (std::max(older_.end, filling_.end) > settled) return;
  while (!placed_.empty() && placed_.front()->result.sequence <= settled) placed_.pop_front();
  BeginBehind(settled);
}

void BoundaryWindow::BeginBehind(Sequence settled) {
  older_.Clear();
  filling_.Clear();
  begin_ = settled;
}

// Commits that are on their way are nowhere else.
void BoundaryWindow::Rotate(Sequence settled) {
  if (older_.end > settled) return;
  if (!older_.events.empty()) begin_ = older_.end;
  older_.Clear();
  std::swap(older_, filling_);
}

void BoundaryWindow::TakePlaced() {
  for (const PreparedAppend* commit : placed_) Take(*commit);
  placed_.clear();
}

void BoundaryWindow::Take(const PreparedAppend& commit) {
  const NameKey tenant = NameKey::Of(commit.tenant, "");
  taken_.assign(commit.parts.size(), {});
  tagged_ = 0;
  std::size_t first_event = 0;
  for (std::size_t stream = 0; stream < commit.streams.size(); ++stream) {
    TakeEvents(commit, stream, first_event, tenant);
    first_event += commit.streams[stream].events;
  }
  filling_.end = commit.result.sequence;
}

void BoundaryWindow::TakeEvents(const PreparedAppend& commit, std::size_t index, std::size_t first_event,
                                NameKey tenant) {
  const PreparedStream& stream = commit.streams[index];
  const PreparedPart& part = commit.parts[stream.part];
  Taken& taken = taken_[stream.part];
  Event event;
  event.tenant = tenant;
  event.at.sequence = commit.result.sequence;
  event.at.position = commit.result.streams[index].position;
  const std::uint64_t before = event.at.position.offset.value() - stream.events;
  for (std::uint32_t i = 0; i < stream.events; ++i) {
    event.at.position.offset = Offset(before + i + 1);
    event.at.type = part.type_ids[taken.types++];
    const EventType* const type =
        event.at.type == 0 ? &part.unknown[taken.unknown++] : index_.types().Find(stream.partition, event.at.type);
    event.type = NameKey::Of(commit.tenant, type->name);
    const NameKey* first = nullptr;
    const NameKey* behind = nullptr;
    if (tagged_ < commit.tagged.size() && commit.tagged[tagged_].event == first_event + i) {
      const EventTagKeys& tags = commit.tagged[tagged_++];
      first = commit.tag_keys.data() + tags.first;
      behind = first + tags.count;
    }
    filling_.Add(event, first, behind);
  }
}

void BoundaryWindow::Page::Add(const Event& event, const NameKey* first, const NameKey* behind) {
  Event& added = events.emplace_back(event);
  added.first_tag = static_cast<std::uint32_t>(tags.size());
  added.tags = static_cast<std::uint32_t>(behind - first);
  tags.insert(tags.end(), first, behind);
  AddLink(event.type);
  for (; first != behind; ++first) AddLink(*first);
}

void BoundaryWindow::Page::AddLink(const NameKey& key) {
  std::uint32_t& of_key = last[key.low];
  links.push_back({static_cast<std::uint32_t>(events.size() - 1), of_key});
  of_key = static_cast<std::uint32_t>(links.size() - 1);
}

void BoundaryWindow::Page::Clear() {
  events.clear();
  tags.clear();
  links.resize(1);
  last.clear();
  end = Sequence();
}

const BoundaryWindow::Event* BoundaryWindow::Page::Find(const PreparedCondition& condition) const {
  if (end <= condition.checked) return nullptr;
  if (condition.items.empty()) return FindAny(condition);
  for (const KeyedItem& item : condition.items) {
    if (const Event* found = FindItem(item, condition.checked); found != nullptr) return found;
  }
  return nullptr;
}

const BoundaryWindow::Event* BoundaryWindow::Page::FindAny(const PreparedCondition& condition) const {
  for (auto event = events.rbegin(); event != events.rend() && event->at.sequence > condition.checked; ++event) {
    if (event->tenant == condition.tenant) return &*event;
  }
  return nullptr;
}

// Along the events of one of its tags; of each of its types, if it has no tag.
const BoundaryWindow::Event* BoundaryWindow::Page::FindItem(const KeyedItem& item, Sequence after) const {
  if (!item.tags.empty()) return FindAlong(item.tags.front(), item, after);
  for (const NameKey& type : item.types) {
    if (const Event* found = FindAlong(type, item, after); found != nullptr) return found;
  }
  return nullptr;
}

const BoundaryWindow::Event* BoundaryWindow::Page::FindAlong(const NameKey& key, const KeyedItem& item,
                                                             Sequence after) const {
  const auto chain = last.find(key.low);
  if (chain == last.end()) return nullptr;
  for (std::uint32_t link = chain->second; link != 0; link = links[link].before) {
    const Event& event = events[links[link].event];
    if (event.at.sequence <= after) return nullptr;
    if (Has(event, item)) return &event;
  }
  return nullptr;
}

bool BoundaryWindow::Page::Has(const Event& event, const KeyedItem& item) const {
  const auto first = tags.begin() + event.first_tag;
  const auto behind = first + event.tags;
  const auto carries = [&](const NameKey& tag) { return std::find(first, behind, tag) != behind; };
  const bool type_fits =
      item.types.empty() || std::find(item.types.begin(), item.types.end(), event.type) != item.types.end();
  return type_fits && std::all_of(item.tags.begin(), item.tags.end(), carries);
}

}  // namespace everfold
