#include "everfold/event/selection_filter.h"

#include <algorithm>

#include "everfold/event/chunk_bytes.h"

namespace everfold {
namespace {

bool HasType(const WantedTypes& types, TypeId type) { return type < types.size() && types[type]; }

bool HasTag(std::string_view encoded_tags, std::string_view tag) {
  for (ByteReader in(encoded_tags); in.left() > 0;) {
    if (in.String() == tag) return true;
  }
  return false;
}

}  // namespace

SelectionFilter::SelectionFilter(const EventSelection& selection, PartitionTypes& types)
    : selection_(selection), types_(types), any_type_(selection.query.all()) {
  for (const QueryItem& item : selection.query.items) {
    items_.push_back({.of = item, .types = {false}});
    any_type_ = any_type_ || item.types.empty();
  }
}

void SelectionFilter::Refresh() {
  if (items_.empty()) return;
  const TypeId last = types_.TakeNew();
  for (TypeId id = static_cast<TypeId>(wanted_.size()); id <= last; ++id) {
    const std::string& name = types_.Find(id)->name;
    bool wanted = false;
    for (Item& item : items_) {
      item.types.push_back(std::find(item.of.types.begin(), item.of.types.end(), name) != item.of.types.end());
      wanted = wanted || item.types.back();
    }
    wanted_.push_back(wanted);
  }
}

bool SelectionFilter::WantsFrameworkStream(const StreamView& stream) const {
  const bool has_checkpoints = stream.aggregate == kGroupAggregate || stream.aggregate == kReactorAggregate ||
                               stream.aggregate == kProcessAggregate;
  return selection_.framework_streams && (selection_.group_streams || !has_checkpoints);
}

bool SelectionFilter::MeetsAnItem(const EventView& event) const {
  return std::any_of(items_.begin(), items_.end(), [&event](const Item& item) { return Meets(item, event); });
}

bool SelectionFilter::Meets(const Item& item, const EventView& event) {
  if (!item.of.types.empty() && !HasType(item.types, event.type)) return false;
  return std::all_of(item.of.tags.begin(), item.of.tags.end(),
                     [&event](const std::string& tag) { return HasTag(event.encoded_tags, tag); });
}

}  // namespace everfold
