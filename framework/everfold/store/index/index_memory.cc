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

std::optional<Sequence> IndexMemory::LastTagged(const EntryName& tag) const {
  const std::optional<Version> last = tag_heads_.Find(tag);
  if (!last.has_value()) return std::nullopt;
  return Sequence(last->value());
}

void IndexMemory::RememberTag(const EntryName& tag, Sequence last, std::uint64_t dropped) {
  const bool is_known =
      tag_heads_.Find(tag).has_value() || filling_->HasTag(tag) || (older_ != nullptr && older_->HasTag(tag));
  if (dropped == dropped_ && !is_known) tag_heads_.Put(tag, Version(last.value()));
}

// Not to the event's own sequence: where the head had to make room, an event of a later one may have come before it,
// which is in the same group then, and so in the same generation.
void IndexMemory::AddTag(const EntryName& tag, const TaggedEvent& event) {
  const TaggedEvent& last = filling_->AddTag(tag, event);
  tag_heads_.Raise(tag, Version(last.sequence.value()));
}

std::size_t IndexMemory::TakeHeads(EntryKind kind, absl::Span<const NameHead> read) {
  constexpr std::size_t kAhead = 8;
  StreamHeads& heads = HeadsOf(kind);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < read.size() + 2 * kAhead; ++i) {
    if (i < read.size()) heads.Prefetch(read[i].name);
    if (i >= kAhead && i - kAhead < read.size()) heads.PrefetchSlot(read[i - kAhead].name);
    if (i < 2 * kAhead) continue;
    const NameHead& next = read[i - 2 * kAhead];
    if (heads.PutIfRoom(next.name, Version(next.head))) ++kept;
  }
  return kept;
}

void IndexMemory::AddStream(const EntryName& stream, const StreamEntry& entry) {
  filling_->AddStream(stream, entry);
  heads_.Put(stream, entry.last_version());
}

}  // namespace everfold
