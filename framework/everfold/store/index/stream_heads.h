// Versions of the streams that were met last, in a table of fixed size: most appends and loads go to streams that were
// in use a moment ago, and need not look into files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>

#include "everfold/event/position.h"
#include "everfold/store/index/entry_name.h"

namespace everfold {

// Streams are told apart by their names, or, where these are too long for a slot, by SHA-256 of them. Each has one of
// four slots of a set; the one that was put longest ago makes room.
// Threading: const calls at the same time; Put without others.
class StreamHeads {
 public:
  // In about so many bytes, which the system gives as they are used; with 0 it keeps nothing.
  explicit StreamHeads(std::size_t bytes);

  // Has the processor fetch the stream's set, for later.
  void Prefetch(const EntryName& stream) const;
  std::optional<Version> Find(const EntryName& stream) const;
  void Put(const EntryName& stream, Version version);

 private:
  static constexpr std::size_t kNameBytes = 55;
  static constexpr std::size_t kSlotsOfSet = 4;

  struct Name;
  struct Slot {
    std::uint64_t version;
    std::uint8_t size;  // of the name; 0: an empty slot
    char name[kNameBytes];
    bool Holds(std::string_view wanted) const;
  };
  struct Free {
    void operator()(Slot* slots) const { std::free(slots); }
  };

  Slot* SetOf(const EntryName& stream) const { return &slots_[(stream.hash() & (sets_ - 1)) * kSlotsOfSet]; }

  std::size_t sets_ = 0;
  std::unique_ptr<Slot[], Free> slots_;
};

}  // namespace everfold
