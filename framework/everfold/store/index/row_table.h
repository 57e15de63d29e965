// A hash table whose rows stand one behind the other, in the order in which they came, and whose buckets hold no more
// than the numbers of rows. To add a row is then to write at the end, which the processor foresees, and to set a few
// bytes in a table that its cache can hold; in a table of the rows themselves each would be a wait for memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"

namespace everfold {

// A Row is made from its Key; `hash()` of the two is equal, and `Is(key)` tells whether it is the key's.
// Threading: const calls at the same time; others without any.
template <class Row, class Key>
class RowTable {
 public:
  RowTable() : numbers_(0, Hash{&rows_}, Same{&rows_}) {}
  RowTable(const RowTable&) = delete;
  RowTable& operator=(const RowTable&) = delete;

  // Rows and buckets that grow are all moved, which takes its time.
  void Reserve(std::size_t rows) {
    rows_.reserve(rows);
    numbers_.reserve(rows);
  }

  // The room for rows stays; that for buckets is made again.
  void Clear() {
    const std::size_t rows = rows_.size();
    rows_.clear();
    numbers_.clear();
    numbers_.reserve(rows);
  }

  // Has the processor fetch what it takes to find or add the key, for later.
  void Prefetch(const Key& key) const { numbers_.prefetch(key); }

  const Row* Find(const Key& key) const {
    const auto found = numbers_.find(key);
    return found == numbers_.end() ? nullptr : &rows_[*found];
  }
  // Valid until the next call.
  Row& FindOrAdd(const Key& key) {
    const auto found = numbers_.lazy_emplace(key, [&](const auto& make) {
      make(static_cast<std::uint32_t>(rows_.size()));
      rows_.emplace_back(key);
    });
    return rows_[*found];
  }

  const std::vector<Row>& rows() const { return rows_; }
  // About what is in use: buckets are 7/16 full or more, rows have half of what they may grow to.
  std::size_t bytes() const {
    constexpr std::size_t kBucketBytes = sizeof(std::uint32_t) + 1;
    return rows_.size() * (sizeof(Row) * 3 / 2 + kBucketBytes * 16 / 7);
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::uint32_t number) const { return (*rows)[number].hash(); }
    std::size_t operator()(const Key& key) const { return key.hash(); }
    const std::vector<Row>* rows;
  };
  struct Same {
    using is_transparent = void;
    bool operator()(std::uint32_t a, std::uint32_t b) const { return a == b; }
    bool operator()(std::uint32_t number, const Key& key) const { return (*rows)[number].Is(key); }
    const std::vector<Row>* rows;
  };

  std::vector<Row> rows_;
  absl::flat_hash_set<std::uint32_t, Hash, Same> numbers_;
};

}  // namespace everfold
