// A partition's part of the type dictionary, for one reader: without a lock for every event.
#pragma once

#include <vector>

#include "everfold/event/event_type.h"

namespace everfold {

// Threading: one thread. Lifetime: the dictionary outlives it.
class PartitionTypes {
 public:
  PartitionTypes(const TypeDictionary& dictionary, PartitionId partition)
      : dictionary_(dictionary), partition_(partition) {}

  PartitionId partition() const { return partition_; }

  // nullptr if it is not defined.
  const EventType* Find(TypeId id) {
    if (id > types_.size()) TakeNew();
    return id > 0 && id <= types_.size() ? types_[id - 1] : nullptr;
  }

  // Looks what has been defined meanwhile, and returns the last id.
  TypeId TakeNew() {
    const TypeId last = dictionary_.LastId(partition_);
    while (types_.size() < last) types_.push_back(dictionary_.Find(partition_, static_cast<TypeId>(types_.size() + 1)));
    return last;
  }

 private:
  const TypeDictionary& dictionary_;
  const PartitionId partition_;
  std::vector<const EventType*> types_;  // by id - 1
};

}  // namespace everfold
