#include "everfold/store/index/latest_events.h"

#include "everfold/base/check.h"
#include "everfold/store/index/index_entries.h"

namespace everfold {
namespace {

void Raise(TaggedEvent& latest, const TaggedEvent& event) {
  if (IsBefore(latest, event)) latest = event;
}

}  // namespace

void LatestEvents::Note(std::string_view tenant, const TypeDictionary& types, const TaggedEvent& event) {
  if (!has_tenant_ || tenant != tenant_) TurnTo(tenant);
  Place& place = PlaceOf(event.position.partition, event.type);
  if (place.turn != turn_) {
    const EventType* const type = types.Find(event.position.partition, event.type);
    EVERFOLD_CHECK(type != nullptr);
    place = {turn_, RowOf(type->name)};
  }
  Raise(table_.row(place.row).event, event);
  Raise(table_.row(tenant_row_).event, event);
}

void LatestEvents::TurnTo(std::string_view tenant) {
  ++turn_;
  has_tenant_ = true;
  tenant_ = tenant;
  tenant_row_ = RowOf("");
}

LatestEvents::Place& LatestEvents::PlaceOf(PartitionId partition, TypeId type) {
  if (partition.value() >= places_.size()) places_.resize(partition.value() + 1);
  std::vector<Place>& of_partition = places_[partition.value()];
  if (type >= of_partition.size()) of_partition.resize(type + 1);
  return of_partition[type];
}

std::uint32_t LatestEvents::RowOf(std::string_view type) {
  const EntryName name = LatestName(tenant_, type);
  LatestRow& row = table_.FindOrAdd(name);
  if (row.event.sequence == Sequence()) row.name = names_.Keep(name.bytes());
  return table_.NumberOf(row);
}

void LatestEvents::Clear() {
  table_.Clear();
  names_.Clear();
  has_tenant_ = false;
}

std::optional<TaggedEvent> LatestEvents::Find(const EntryName& name) const {
  const LatestRow* const row = table_.Find(name);
  if (row == nullptr || row->event.sequence == Sequence()) return std::nullopt;
  return row->event;
}

}  // namespace everfold
