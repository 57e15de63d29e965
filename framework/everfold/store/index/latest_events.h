// The last event of each type of a tenant, and the last one of the tenant: what an append condition on a type alone
// asks for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "everfold/event/event_type.h"
#include "everfold/store/index/entry_name.h"
#include "everfold/store/index/kept_names.h"
#include "everfold/store/index/row_table.h"
#include "everfold/store/store_index.h"

namespace everfold {

// `tenant 0 type 0`, with an empty type for any. A tenant is named like a tag.
inline EntryName LatestName(std::string_view tenant, std::string_view type) { return EntryName::OfTag(tenant, type); }

struct LatestRow {
  explicit LatestRow(const EntryName& of) : hash_of_name(of.hash()), name(of.bytes()) {}
  std::size_t hash() const { return hash_of_name; }
  bool Is(const EntryName& of) const { return hash_of_name == of.hash() && name == of.bytes(); }

  std::size_t hash_of_name;
  std::string_view name;
  TaggedEvent event;
};

// Events are noted one by one, and nearly all of them are of types, and of a tenant, that were met before: where their
// rows are is kept by the number of the type, so that no name is looked up.
// Threading: const calls at the same time; others without any.
class LatestEvents {
 public:
  LatestEvents() = default;
  LatestEvents(const LatestEvents&) = delete;
  LatestEvents& operator=(const LatestEvents&) = delete;

  // In any order. REQUIRES: the type is defined, and neither name holds a zero byte.
  void Note(std::string_view tenant, const TypeDictionary& types, const TaggedEvent& event);

  // nullopt if none was noted.
  std::optional<TaggedEvent> Find(const EntryName& name) const;

  // Empty again.
  void Clear();

  const std::vector<LatestRow>& rows() const { return table_.rows(); }
  std::size_t bytes() const { return table_.bytes() + names_.bytes(); }

 private:
  // Where the rows of a type, and of its tenant, are; valid while the tenant is the same.
  struct Place {
    std::uint64_t turn = 0;
    std::uint32_t row = 0;
  };

  void TurnTo(std::string_view tenant);
  Place& PlaceOf(PartitionId partition, TypeId type);
  std::uint32_t RowOf(std::string_view type);

  RowTable<LatestRow, EntryName> table_;
  KeptNames names_;
  std::string tenant_;      // of the last event
  std::uint64_t turn_ = 0;  // grows when the tenant is another one, or the rows are
  bool has_tenant_ = false;
  std::uint32_t tenant_row_ = 0;
  std::vector<std::vector<Place>> places_;  // by partition and type
};

}  // namespace everfold
