// A selection in the numbers of one partition, so that most of what nobody wants is passed over by its type ids, and
// the rest by its encoded tags, before anything is copied.
#pragma once

#include <string_view>
#include <vector>

#include "everfold/event/chunk_reader.h"
#include "everfold/event/event_selection.h"
#include "everfold/event/partition_types.h"

namespace everfold {

// Threading: one thread. Lifetime: selection and types outlive it.
class SelectionFilter {
 public:
  SelectionFilter(const EventSelection& selection, PartitionTypes& types);

  // Takes in the types that have been defined meanwhile. To be called for every chunk, before it is read.
  void Refresh();

  // Moves to the next commit that may hold something wanted.
  bool NextCommit(ChunkReader& chunk) const {
    while (any_type_ ? chunk.NextCommit() : chunk.NextCommitOf(wanted_)) {
      if (!selection_.tenant.has_value() || chunk.commit().tenant == *selection_.tenant) return true;
    }
    return false;
  }
  bool Wants(const StreamView& stream) const {
    return stream.aggregate.empty() || stream.aggregate.front() != '$' || WantsFrameworkStream(stream);
  }
  bool Wants(const EventView& event) const { return selection_.query.all() || MeetsAnItem(event); }

 private:
  // A QueryItem.
  struct Item {
    const QueryItem& of;
    WantedTypes types;
  };
  bool WantsFrameworkStream(const StreamView& stream) const;
  bool MeetsAnItem(const EventView& event) const;
  static bool Meets(const Item& item, const EventView& event);

  const EventSelection& selection_;
  PartitionTypes& types_;
  bool any_type_ = false;  // some item is met by events of any type
  std::vector<Item> items_;
  WantedTypes wanted_{false};  // by any item
};

}  // namespace everfold
