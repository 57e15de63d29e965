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

StreamHeads::StreamHeads(std::size_t bytes) {
  static_assert(sizeof(Slot) == 64);
  if (bytes == 0) return;
  for (sets_ = 1; sets_ * 2 * kSlotsOfSet * sizeof(Slot) <= bytes;) sets_ *= 2;
  slots_.reset(static_cast<Slot*>(std::calloc(sets_ * kSlotsOfSet, sizeof(Slot))));
  if (slots_ == nullptr) throw std::bad_alloc();
}

void StreamHeads::Prefetch(const EntryName& stream) const {
  if (sets_ == 0) return;
  const Slot* set = SetOf(stream);
  for (std::size_t i = 0; i < kSlotsOfSet; ++i) __builtin_prefetch(set + i);
}

std::optional<Version> StreamHeads::Find(const EntryName& stream) const {
  if (sets_ == 0) return std::nullopt;
  const Name name(stream);
  const Slot* set = SetOf(stream);
  const Slot* found = std::find_if(set, set + kSlotsOfSet, [&](const Slot& slot) { return slot.Holds(name.bytes); });
  if (found == set + kSlotsOfSet) return std::nullopt;
  return Version(found->version);
}

void StreamHeads::Put(const EntryName& stream, Version version) {
  if (sets_ == 0) return;
  const Name name(stream);
  Slot* set = SetOf(stream);
  Slot* found = std::find_if(set, set + kSlotsOfSet - 1, [&](const Slot& slot) { return slot.Holds(name.bytes); });
  std::memmove(set + 1, set, static_cast<std::size_t>(found - set) * sizeof(Slot));
  set->version = version.value();
  set->size = static_cast<std::uint8_t>(name.bytes.size());
  std::memcpy(set->name, name.bytes.data(), name.bytes.size());
}

}  // namespace everfold
