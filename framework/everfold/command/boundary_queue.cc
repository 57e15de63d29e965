#include "everfold/command/boundary_queue.h"

#include <algorithm>

#include "everfold/base/check.h"

namespace everfold {

bool BoundaryQueue::Enter(const BoundedCommandPtr& command) {
  command->ahead = 0;
  for (const std::string& key : command->keys) {
    std::deque<BoundedCommandPtr>& line = lines_[key];
    if (!line.empty()) ++command->ahead;
    line.push_back(command);
  }
  return command->ahead == 0;
}

std::vector<BoundedCommandPtr> BoundaryQueue::Leave(const BoundedCommand& command) {
  std::vector<BoundedCommandPtr> next;
  for (const std::string& key : command.keys) {
    const auto line = lines_.find(key);
    EVERFOLD_CHECK(line != lines_.end() && line->second.front().get() == &command);
    line->second.pop_front();
    if (line->second.empty()) {
      lines_.erase(line);
    } else if (--line->second.front()->ahead == 0) {
      next.push_back(line->second.front());
    }
  }
  return next;
}

std::size_t BoundaryQueue::LongestWait(const BoundedCommand& command) const {
  std::size_t longest = 0;
  for (const std::string& key : command.keys) {
    const auto line = lines_.find(key);
    if (line != lines_.end()) longest = std::max(longest, line->second.size());
  }
  return longest;
}

}  // namespace everfold
