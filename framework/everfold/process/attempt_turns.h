// Whose turn it is to call the outside: of each activity so many attempts are under way at a time, and the others wait,
// in the order in which they came. So a start with very much open does not call a provider with all of it at once.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "everfold/base/check.h"
#include "everfold/process/process_instance.h"

namespace everfold {

// Threading: one thread.
class AttemptTurns {
 public:
  struct Waiting {
    std::string instance;  // key of its stream
    OutgoingRef activity;
  };

  // Whether an attempt may begin now, which counts then; else it waits.
  bool Take(const std::string& activity, std::size_t most, Waiting waiting) {
    Turns& turns = turns_[activity];
    if (turns.under_way < most && turns.waiting.empty()) {
      ++turns.under_way;
      return true;
    }
    turns.waiting.push_back(std::move(waiting));
    ++waiting_;
    return false;
  }

  // One that was under way is so no more.
  void Give(const std::string& activity) {
    Turns& turns = turns_.at(activity);
    EVERFOLD_CHECK(turns.under_way > 0);
    --turns.under_way;
  }

  // Who has waited longest, if there is room; it counts as under way.
  std::optional<Waiting> Next(const std::string& activity, std::size_t most) {
    const auto found = turns_.find(activity);
    if (found == turns_.end() || found->second.waiting.empty() || found->second.under_way >= most) return std::nullopt;
    Waiting next = std::move(found->second.waiting.front());
    found->second.waiting.pop_front();
    --waiting_;
    ++found->second.under_way;
    return next;
  }

  bool has_waiting() const { return waiting_ > 0; }

  void Clear() {
    turns_.clear();
    waiting_ = 0;
  }

 private:
  struct Turns {
    std::size_t under_way = 0;
    std::deque<Waiting> waiting = {};
  };
  absl::flat_hash_map<std::string, Turns> turns_;
  std::size_t waiting_ = 0;  // of all
};

}  // namespace everfold
