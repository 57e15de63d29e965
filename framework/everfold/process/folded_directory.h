// The directory of a process and how it keeps up with the log. What it is asked for and what it folds come one after
// the other, whatever strand they come from, so the process's own strand need not fold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/base/clock.h"
#include "everfold/base/mutex.h"
#include "everfold/process/process_directory.h"
#include "everfold/process/process_type.h"
#include "everfold/store/event_store.h"
#include "everfold/subscription/subscription.h"
#include "everfold/telemetry/logger.h"

namespace everfold {

// What one transaction has added to a directory; nothing by a pull of the log that only began one.
struct FoldedPiece {
  std::size_t steps = 0;
  std::vector<DueTimer> timers_set = {};
  bool caught_up = false;  // it has come to the end of the log
};

// Threading: thread-safe; a call waits for the one under way, at most one pull of the log and a transaction.
// Lifetime: `type`, `store`, `clock` and `logger` outlive it.
class FoldedDirectory {
 public:
  static constexpr std::size_t kStepsAPull = 1000;
  static constexpr absl::Duration kLongestTransaction = absl::Milliseconds(100);

  // `logger` is null if nobody listens.
  FoldedDirectory(std::string path, const ProcessType& type, const EventStore& store, const Clock& clock,
                  Logger* logger);

  // Opens the file, or creates it, also in place of one that is damaged or does not fit.
  absl::Status Open();
  // Another file, with nothing folded, in its place. After an error the next Fold tries again.
  absl::Status MakeAnew();
  // One pull of what the log has gained. An instance that comes and goes within one transaction costs it nothing, so
  // that is made of many pulls, until they have come to the end of the log, or have taken kLongestTransaction: who is
  // killed again and again gets on. Errors of the directory and of the log; the next pull begins with what is not in
  // the directory.
  absl::StatusOr<FoldedPiece> Fold();

  // Of what is folded. Never waits for a pull.
  DirectoryCounts counts() const;
  // As the directory's. UNAVAILABLE (READ_MODEL_BEHIND) while there is none.
  absl::StatusOr<std::vector<DueTimer>> TimersAfter(const DueTimer& after, absl::Time until, std::size_t limit);
  absl::StatusOr<std::vector<OpenInstance>> InstancesAfter(const std::string& key, std::size_t limit);
  absl::StatusOr<std::vector<OpenInstance>> InFlightAfter(const std::string& key, std::size_t limit);
  absl::StatusOr<std::optional<FoundActivity>> FindActivity(const std::string& activity_key);

 private:
  absl::Status OpenLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status StartReading() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<FoldedPiece> Pull() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Commit() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Missing() const;
  void ForgetPending() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ShowCounts() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Warn(std::string_view message, const std::string& cause) const;

  const std::string path_;
  const ProcessType& type_;
  const EventStore& store_;
  const Clock& clock_;
  Logger* const logger_;
  Mutex mutex_;
  std::unique_ptr<ProcessDirectory> directory_ ABSL_GUARDED_BY(mutex_);  // null: it could not be opened
  std::unique_ptr<Subscription> steps_ ABSL_GUARDED_BY(mutex_);          // null: to be started
  FoldedPiece pending_ ABSL_GUARDED_BY(mutex_);                          // what no transaction has
  // When its first pull began, whatever that has found; none: there was none.
  std::optional<absl::Time> pending_since_ ABSL_GUARDED_BY(mutex_);
  mutable Mutex counts_mutex_;
  DirectoryCounts counts_ ABSL_GUARDED_BY(counts_mutex_);
};

}  // namespace everfold
