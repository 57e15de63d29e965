// Versions of streams, those that were met last before others, in a table of fixed size: most appends and loads go to
// streams that were in use a moment ago, and need not look into files.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "everfold/event/position.h"
#include "everfold/store/index/entry_name.h"

namespace everfold {

// A name with what memory keeps of it: the version of a stream, or the last sequence of a tag.
struct NameHead {
  EntryName name;
  std::uint64_t head = 0;
};

// Streams are told apart by their names, or, where these are too long for a slot, by SHA-256 of them. Each has one of
// eight slots of a set; the one that came first makes room. A set that was given all of its streams, and never lacked
// room for one, knows them all, so that one that it does not hold does not exist: a new stream, the most frequent kind,
// takes no look into files either. A store that is new begins so; after a start all names there are have to be given
// once. A few bits of each name's hash stand together in front, so that a look-up waits for memory twice at most.
// Threading: const calls at the same time; the others without any.
class StreamHeads {
 public:
  // In about so many bytes, which the system gives as they are used; with 0 it keeps nothing. `all_are_new`: there is
  // no stream yet, and each will be put.
  StreamHeads(std::size_t bytes, bool all_are_new);

  // Has the processor fetch what a look-up reads first, for later; and then what it reads next, if anything.
  void Prefetch(const EntryName& stream) const;
  void PrefetchSlot(const EntryName& stream) const;
  // 0 for a stream that does not exist; nullopt if that is not known.
  std::optional<Version> Find(const EntryName& stream) const;
  void Put(const EntryName& stream, Version version);
  // The same, unless a later one is there.
  void Raise(const EntryName& stream, Version version);
  // Leaves what is there as it is. False if the stream is not there, and its set is full: which does not know all then.
  bool PutIfRoom(const EntryName& stream, Version version);
  // Each stream that exists was put, by PutIfRoom if not otherwise: a set that lacked no room knows all from now on.
  void AllWerePut();

 private:
  static constexpr std::size_t kNameBytes = 55;
  static constexpr std::size_t kSlotsOfSet = 8;

  struct Name;
  struct Slot {
    std::uint64_t version;
    std::uint8_t size;  // of the name
    char name[kNameBytes];
    bool Holds(std::string_view wanted) const;
  };
  struct Free {
    void operator()(Slot* slots) const { std::free(slots); }
  };
  using Mark = std::uint16_t;  // of a name's hash; 0: an empty slot
  enum class Knows : std::uint8_t {
    kAll,     // streams of the set that exist
    kAllPut,  // that were put so far
    kSome,    // one had to make room, or found none
  };
  struct Set {
    std::array<Mark, kSlotsOfSet> marks;
    std::uint8_t next;  // slot to be taken
    Knows knows;
  };
  static Mark MarkOf(const EntryName& stream);
  std::size_t SetOf(const EntryName& stream) const { return stream.hash() & (sets_count_ - 1); }
  Slot* SlotsOf(std::size_t set) const { return &slots_[set * kSlotsOfSet]; }
  // nullptr if the stream is not there.
  Slot* SlotOf(const EntryName& stream, const Name& name) const;
  void Add(const EntryName& stream, const Name& name, Version version);

  std::size_t sets_count_ = 0;
  std::vector<Set> sets_;
  std::unique_ptr<Slot[], Free> slots_;
};

}  // namespace everfold
