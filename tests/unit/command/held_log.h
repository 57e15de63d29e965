// A log whose appends stay on their way until the test lets them through or has them fail.
#pragma once

#include <deque>
#include <vector>

#include "tests/unit/log/forwarding_log.h"

namespace everfold {

// Threading: one thread, as ManualExecutor. Lifetime: the inner log outlives it.
class HeldLog final : public ForwardingLog {
 public:
  using ForwardingLog::ForwardingLog;

  // From now on appends stay on their way.
  void Hold() { holding_ = true; }
  // Those on their way arrive, and all later ones, too.
  void LetThrough();
  // Those on their way fail, as on a full disk: nothing was written. Later ones arrive.
  void Fail();

  std::size_t held() const { return held_.size(); }
  // Appends that were asked for.
  std::size_t groups() const { return groups_; }

  void Append(std::vector<ChunkAppend> group, Done done) override;

 private:
  struct Held {
    std::vector<ChunkAppend> group;
    Done done;
  };

  bool holding_ = false;
  std::size_t groups_ = 0;
  std::deque<Held> held_;
};

}  // namespace everfold
