// How long command ids are remembered: whole days of recorded time.
//
// What counts is the recorded time of the last commit, and no clock: two stores with the same log, or one before and
// after its index was built again, remember the same commands.
#pragma once

#include "absl/time/time.h"
#include "everfold/store/index/index_entries.h"

namespace everfold {

// Threading: immutable.
class CommandRetention {
 public:
  // Rounded up to whole days, at least one.
  explicit CommandRetention(absl::Duration retention);

  // Commands of earlier days are forgotten once a commit of that time is there. A command is remembered for at least
  // the retention, and for less than a day more.
  Day FirstDay(absl::Time last_recorded_at) const;

 private:
  const Day days_;
};

// When a day begins.
absl::Time BeginOf(Day day);

}  // namespace everfold
