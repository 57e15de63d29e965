// The timers of a process that are due next, out of any number in its directory: as many as fit into memory, and all
// that are due before the last of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/process/process_directory.h"

namespace everfold {

// Threading: one thread.
class DueTimers {
 public:
  // Keeps at most so many in memory, and reads none that is due after the horizon.
  DueTimers(std::size_t most, absl::Duration horizon) : most_(most), horizon_(horizon) {}

  // Nothing is known.
  void Clear();
  // ProcessDirectory::TimersAfter.
  using Read = absl::FunctionRef<absl::StatusOr<std::vector<DueTimer>>(const DueTimer& after, absl::Time until,
                                                                       std::size_t limit)>;
  // Reads those that are due within the horizon, if it has less than it might. Errors of the directory.
  absl::Status Fill(Read read, absl::Time now);
  // One that was put into the directory since.
  void Add(DueTimer timer);
  // The first one, if it is due.
  std::optional<DueTimer> TakeDue(absl::Time now);
  // When the first one is due, or when there is to be read again; never later than the horizon.
  absl::Time NextLook(absl::Time now) const;

  std::size_t size() const { return timers_.size(); }

 private:
  static DueTimer BeforeAll() { return {.due_micros = std::numeric_limits<std::int64_t>::min()}; }
  // The directory has one version of a timer, and what is asked for after this one begins behind all of them.
  void KnowUpto(const DueTimer& last);

  const std::size_t most_;
  const absl::Duration horizon_;
  std::set<DueTimer> timers_;
  DueTimer known_upto_ = BeforeAll();  // all of the directory up to here are in memory, or were taken
};

}  // namespace everfold
