#include "everfold/event/event_type.h"

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"

namespace everfold {
namespace {

absl::Status Misdefined(PartitionId partition, const TypeDefinition& definition, const std::string& but) {
  return Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
               absl::StrFormat("partition %d defines type %d as %s, but %s", partition.value(), definition.id,
                               definition.type.name, but));
}

}  // namespace

TypeDictionary::TypeDictionary(std::uint32_t partitions) : partitions_(partitions) {}

absl::Status TypeDictionary::Define(PartitionId partition, const TypeDefinition& definition) {
  MutexLock lock(&mutex_);
  if (partition.value() >= partitions_.size()) {
    return Misdefined(partition, definition, absl::StrFormat("there are %d partitions", partitions_.size()));
  }
  PartitionTypes& known = partitions_[partition.value()];
  const std::size_t next = known.types.size() + 1;
  if (definition.id == 0 || definition.id > next) {
    return Misdefined(partition, definition, absl::StrFormat("its next type is %d", next));
  }
  if (definition.id < next) {
    const EventType& before = known.types[definition.id - 1];
    if (before == definition.type) return absl::OkStatus();
    if (before.name != definition.type.name) return Misdefined(partition, definition, "it is " + before.name);
    return Misdefined(partition, definition, "with another fingerprint before");
  }
  known.types.push_back(definition.type);
  known.ids.try_emplace(definition.type, definition.id);
  return absl::OkStatus();
}

const EventType* TypeDictionary::Find(PartitionId partition, TypeId id) const {
  ReaderMutexLock lock(&mutex_);
  if (partition.value() >= partitions_.size()) return nullptr;
  const PartitionTypes& known = partitions_[partition.value()];
  return id > 0 && id <= known.types.size() ? &known.types[id - 1] : nullptr;
}

TypeId TypeDictionary::IdOf(PartitionId partition, const EventType& type) const {
  ReaderMutexLock lock(&mutex_);
  if (partition.value() >= partitions_.size()) return 0;
  const PartitionTypes& known = partitions_[partition.value()];
  const auto found = known.ids.find(type);
  return found != known.ids.end() ? found->second : 0;
}

TypeId TypeDictionary::LastId(PartitionId partition) const {
  ReaderMutexLock lock(&mutex_);
  if (partition.value() >= partitions_.size()) return 0;
  return static_cast<TypeId>(partitions_[partition.value()].types.size());
}

}  // namespace everfold
