#include "tests/unit/command/held_log.h"

#include <utility>

#include "everfold/base/error.h"

namespace everfold {

void HeldLog::Append(std::vector<ChunkAppend> group, Done done) {
  ++groups_;
  if (!holding_) return ForwardingLog::Append(std::move(group), std::move(done));
  held_.push_back({std::move(group), std::move(done)});
}

void HeldLog::LetThrough() {
  holding_ = false;
  for (Held& held : std::exchange(held_, {})) ForwardingLog::Append(std::move(held.group), std::move(held.done));
}

void HeldLog::Fail() {
  holding_ = false;
  for (Held& held : std::exchange(held_, {})) {
    strand().Post([done = std::move(held.done)]() mutable {
      done(Error(absl::StatusCode::kResourceExhausted, reason::kDiskFull, "no room, says the test"));
    });
  }
}

}  // namespace everfold
