// The ids of commands that were recorded lately. A command with an id that is not among them is most likely new: it is
// decided at once, and the store is asked for its id only when it is appended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/container/flat_hash_set.h"

namespace everfold {

// Keeps hashes of the last ids, between `max_ids` and twice as many. Threading: one thread at a time.
class RecentIds {
 public:
  explicit RecentIds(std::size_t max_ids) : max_ids_(max_ids) {}

  void Add(std::uint64_t id) {
    if (young_.size() >= max_ids_) {
      old_ = std::exchange(young_, {});
      young_.reserve(max_ids_);
    }
    young_.insert(id);
  }
  // May hold for an id that was never added, whose hash is the same.
  bool Has(std::uint64_t id) const { return young_.contains(id) || old_.contains(id); }

 private:
  const std::size_t max_ids_;
  absl::flat_hash_set<std::uint64_t> young_;
  absl::flat_hash_set<std::uint64_t> old_;
};

}  // namespace everfold
