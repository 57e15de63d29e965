#include "everfold/store/index/stream_heads.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <string>

#include "everfold/base/digest.h"

namespace everfold {

// A stream's name as a slot holds it.
struct StreamHeads::Name {
  explicit Name(const EntryName& stream) : bytes(stream.bytes()) {
    if (bytes.size() <= kNameBytes) return;
    digest = Sha256(bytes);
    bytes = digest;
  }
  Name(const Name&) = delete;

  std::string digest;
  std::string_view bytes;
};

bool StreamHeads::Slot::Holds(std::string_view wanted) const {
  return size == wanted.size() && std::memcmp(name, wanted.data(), wanted.size()) == 0;
}

StreamHeads::StreamHeads(std::size_t bytes, bool all_are_new) {
  static_assert(sizeof(Slot) == 64);
  if (bytes == 0) return;
  for (sets_count_ = 1; sets_count_ * 2 * kSlotsOfSet * sizeof(Slot) <= bytes;) sets_count_ *= 2;
  sets_.assign(sets_count_, Set{.marks = {}, .next = 0, .knows = all_are_new ? Knows::kAll : Knows::kAllPut});
  slots_.reset(static_cast<Slot*>(std::calloc(sets_count_ * kSlotsOfSet, sizeof(Slot))));
  if (slots_ == nullptr) throw std::bad_alloc();
}

// Of other bits than the set.
StreamHeads::Mark StreamHeads::MarkOf(const EntryName& stream) {
  const auto mark = static_cast<Mark>(stream.hash() >> 48);
  return mark == 0 ? 1 : mark;
}

void StreamHeads::Prefetch(const EntryName& stream) const {
  if (sets_count_ > 0) __builtin_prefetch(&sets_[SetOf(stream)]);
}

void StreamHeads::PrefetchSlot(const EntryName& stream) const {
  if (sets_count_ == 0) return;
  const std::size_t set = SetOf(stream);
  const Mark mark = MarkOf(stream);
  bool is_there = false;
  for (std::size_t i = 0; i < kSlotsOfSet; ++i) {
    if (sets_[set].marks[i] != mark) continue;
    is_there = true;
    __builtin_prefetch(SlotsOf(set) + i);
  }
  if (!is_there) __builtin_prefetch(SlotsOf(set) + sets_[set].next);
}

StreamHeads::Slot* StreamHeads::SlotOf(const EntryName& stream, const Name& name) const {
  const std::size_t set = SetOf(stream);
  const Mark mark = MarkOf(stream);
  for (std::size_t i = 0; i < kSlotsOfSet; ++i) {
    Slot* const slot = SlotsOf(set) + i;
    if (sets_[set].marks[i] == mark && slot->Holds(name.bytes)) return slot;
  }
  return nullptr;
}

std::optional<Version> StreamHeads::Find(const EntryName& stream) const {
  if (sets_count_ == 0) return std::nullopt;
  const Slot* const slot = SlotOf(stream, Name(stream));
  if (slot != nullptr) return Version(slot->version);
  if (sets_[SetOf(stream)].knows == Knows::kAll) return Version();
  return std::nullopt;
}

void StreamHeads::Put(const EntryName& stream, Version version) {
  if (sets_count_ == 0) return;
  const Name name(stream);
  Slot* const slot = SlotOf(stream, name);
  if (slot == nullptr) return Add(stream, name, version);
  slot->version = version.value();
}

void StreamHeads::Raise(const EntryName& stream, Version version) {
  if (sets_count_ == 0) return;
  const Name name(stream);
  Slot* const slot = SlotOf(stream, name);
  if (slot == nullptr) return Add(stream, name, version);
  slot->version = std::max(slot->version, version.value());
}

bool StreamHeads::PutIfRoom(const EntryName& stream, Version version) {
  if (sets_count_ == 0) return false;
  const Name name(stream);
  if (SlotOf(stream, name) != nullptr) return true;
  Set& set = sets_[SetOf(stream)];
  const bool has_room = set.marks[set.next] == 0;
  if (has_room) {
    Add(stream, name, version);
  } else {
    set.knows = Knows::kSome;
  }
  return has_room;
}

void StreamHeads::AllWerePut() {
  for (Set& set : sets_) {
    if (set.knows == Knows::kAllPut) set.knows = Knows::kAll;
  }
}

void StreamHeads::Add(const EntryName& stream, const Name& name, Version version) {
  Set& set = sets_[SetOf(stream)];
  Slot& slot = SlotsOf(SetOf(stream))[set.next];
  if (set.marks[set.next] != 0) set.knows = Knows::kSome;
  set.marks[set.next] = MarkOf(stream);
  set.next = (set.next + 1) % kSlotsOfSet;
  slot.version = version.value();
  slot.size = static_cast<std::uint8_t>(name.bytes.size());
  std::memcpy(slot.name, name.bytes.data(), name.bytes.size());
}

}  // namespace everfold
