// Names of types, told once.
//
// In a chunk an event names its type by a small number, which is defined in band: the first chunk of a partition that
// uses a type carries its definition. Whoever starts to read in the middle needs the definitions from before, which a
// dictionary holds.
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "everfold/base/mutex.h"
#include "everfold/event/position.h"

namespace everfold {

// What an event or a command is; two revisions of one message are two types.
struct EventType {
  std::string name;         // full message name
  std::string fingerprint;  // of the message as its writer knew it, 32 bytes; empty for raw events and for commands
  friend auto operator<=>(const EventType&, const EventType&) = default;
  template <class H>
  friend H AbslHashValue(H state, const EventType& type) {
    return H::combine(std::move(state), type.name, type.fingerprint);
  }
};

// Number of a type in its partition: dense, first is 1; 0 = none.
using TypeId = std::uint32_t;

struct TypeDefinition {
  TypeId id = 0;
  EventType type;
  friend bool operator==(const TypeDefinition&, const TypeDefinition&) = default;
};

// All types that the durable part of a log defines. Only grows. Threading: thread-safe.
class TypeDictionary {
 public:
  explicit TypeDictionary(std::uint32_t partitions);

  // DATA_LOSS unless the id is the partition's next one, or known with the same type.
  absl::Status Define(PartitionId partition, const TypeDefinition& definition);
  // nullptr if it is not defined. What it points to never changes or moves.
  const EventType* Find(PartitionId partition, TypeId id) const;
  // 0 if it is not defined.
  TypeId IdOf(PartitionId partition, const EventType& type) const;
  // How many are defined; the last id.
  TypeId LastId(PartitionId partition) const;

 private:
  struct PartitionTypes {
    std::deque<EventType> types;  // by id - 1
    absl::flat_hash_map<EventType, TypeId> ids;
  };
  mutable Mutex mutex_;
  std::vector<PartitionTypes> partitions_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace everfold
