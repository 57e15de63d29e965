#include "everfold/store/index/index_memory.h"

#include <utility>

#include "everfold/base/check.h"

namespace everfold {

void IndexMemory::Rotate() {
  EVERFOLD_CHECK(older_ == nullptr);
  auto next = spare_ != nullptr ? std::move(spare_) : std::make_unique<IndexGeneration>(*filling_);
  older_ = std::move(filling_);
  filling_ = std::move(next);
}

std::unique_ptr<IndexGeneration> IndexMemory::DropOlder() {
  ++dropped_;
  return std::exchange(older_, nullptr);
}

std::optional<Version> IndexMemory::VersionOf(const EntryName& stream) const {
  std::optional<Version> version = heads_.Find(stream);
  if (!version.has_value()) version = filling_->VersionOf(stream);
  if (!version.has_value() && older_ != nullptr) version = older_->VersionOf(stream);
  return version;
}

void IndexMemory::Remember(const EntryName& stream, Version version, std::uint64_t dropped) {
  if (dropped == dropped_ && !VersionOf(stream).has_value()) heads_.Put(stream, version);
}

void IndexMemory::AddStream(const EntryName& stream, const StreamEntry& entry) {
  filling_->AddStream(stream, entry);
  heads_.Put(stream, entry.last_version());
}

}  // namespace everfold
