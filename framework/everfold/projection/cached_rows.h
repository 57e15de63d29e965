// The rows of one table in memory, as bytes by key, in as little of it as that takes: what a row is looked up for lies
// together, so that one of many that are changed at random is found where memory is slow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"

namespace everfold {

// A row of a table, or that there is none of this key. Stands where it is until it is cleared.
class CachedRow {
 public:
  bool exists() const { return exists_; }
  // Lifetime, of both: until the next Set of this row.
  std::string_view key() const { return {reinterpret_cast<const char*>(this + 1), key_size_}; }
  std::string_view bytes() const { return {bytes_, size_}; }

 private:
  friend class CachedRows;
  CachedRow(std::string_view key, char* bytes, std::uint32_t room);
  std::size_t memory() const { return sizeof(CachedRow) + key_size_ + room_; }

  char* bytes_;  // behind the key, until they outgrow their room
  std::uint32_t size_ = 0;
  std::uint32_t room_;
  std::uint32_t key_size_;
  bool exists_ = false;
  bool changed_ = false;
};

// Threading: one thread.
class CachedRows {
 public:
  CachedRows() = default;
  CachedRows(const CachedRows&) = delete;
  CachedRows& operator=(const CachedRows&) = delete;

  // Of a key, for those below.
  static std::size_t HashOf(std::string_view key);
  // The row of a key with this hash will be looked up: first what tells where it is is brought near the processor, some
  // time later the row itself.
  void ExpectLater(std::size_t hash) const { rows_.prefetch(KeyHash{hash}); }
  void ExpectSoon(std::size_t hash) const;

  // Null if nothing is known of this key.
  CachedRow* Find(std::string_view key) const;
  // REQUIRES: Find was null. A row that does not exist; with room for as many bytes.
  CachedRow& Add(std::string_view key, std::size_t room);

  // The row has so many bytes, which the caller writes to the place that is returned. One that does not exist may have
  // some, too: they say what is to be removed.
  char* Set(CachedRow& row, std::size_t size, bool exists);

  // It differs from what the table has.
  void MarkChanged(CachedRow& row);
  // Those that were marked since the last call, in the order of their keys' bytes.
  std::vector<CachedRow*> TakeChanged();

  void Clear();

  // Of memory, for all rows; and for those that were marked since the last TakeChanged.
  std::size_t bytes() const;
  std::size_t changed_bytes() const { return changed_bytes_; }
  // Of the row that was set last: the next one may be as large.
  std::size_t last_size() const { return last_size_; }

 private:
  // A row with the hash of its key, which is compared first: so no other row is looked at.
  struct Slot {
    std::size_t hash;
    CachedRow* row;
  };
  struct KeyHash {
    std::size_t hash;
  };
  struct HashedKey {
    std::size_t hash;
    std::string_view key;
  };
  struct Hash {
    using is_transparent = void;
    template <class T>
    std::size_t operator()(const T& hashed) const {
      return hashed.hash;
    }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const Slot& a, const Slot& b) const { return a.row == b.row; }
    bool operator()(const Slot& slot, const KeyHash& of) const { return slot.hash == of.hash; }
    bool operator()(const Slot& slot, const HashedKey& of) const {
      return slot.hash == of.hash && slot.row->key() == of.key;
    }
  };
  struct Free {
    void operator()(char* block) const { std::free(block); }
  };

  char* Allocate(std::size_t bytes);
  void AddBlock(std::size_t least);

  absl::flat_hash_set<Slot, Hash, Equal> rows_;
  std::vector<CachedRow*> changed_;
  std::size_t changed_bytes_ = 0;
  std::size_t last_size_ = 0;
  std::vector<std::unique_ptr<char, Free>> blocks_;
  std::size_t block_bytes_ = 0;  // of the last one
  char* free_ = nullptr;         // of it
  std::size_t free_bytes_ = 0;
  std::size_t used_bytes_ = 0;  // of all
};

}  // namespace everfold
