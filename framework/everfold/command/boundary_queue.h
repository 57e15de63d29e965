// Commands to boundaries that rely on the same tags, one behind the other in the order in which they came. Side by side
// they would find each other's events in their conditions, and all but one would have decided in vain.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "everfold/command/bounded_command.h"

namespace everfold {

// Threading: one strand.
class BoundaryQueue {
 public:
  // True if it goes on at once; else Leave hands it out when it is its turn. No circle can come about: whoever waits,
  // waits for those that came before.
  bool Enter(const BoundedCommandPtr& command);
  // It is done. Those whose turn it is now.
  std::vector<BoundedCommandPtr> Leave(const BoundedCommand& command);

  // The most commands that are before it at one of its keys.
  std::size_t LongestWait(const BoundedCommand& command) const;
  bool empty() const { return lines_.empty(); }

 private:
  absl::flat_hash_map<std::string, std::deque<BoundedCommandPtr>> lines_;  // by key; none is empty
};

}  // namespace everfold
