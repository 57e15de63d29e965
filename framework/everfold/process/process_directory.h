// Where the open instances of a process are found, their timers, and what is in flight: an SQLite file of format
// version 1 that is nothing but a fold of the steps in the log. It is changed with its checkpoint in one transaction,
// and made anew from the log when it is missing, damaged, or of another history or format.
//
//   everfold_directory   one row: format_version, epoch of the store, name of the process
//   checkpoint           partition -> offset of the last step that is folded; no row is 0
//   instance             key of its stream (event/event_key.h), version, number of commands and activities in flight,
//                        of timers, when its newest step was recorded; ended ones are there as long as something is in
//                        flight
//   timer                due time in microseconds since 1970, instance, name, version of the step that set it
//   activity             its key, instance, step and index; ended ones with the id of the answer, for kKeepAnswers
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/event/position.h"
#include "everfold/process/process_instance.h"
#include "everfold/process/process_type.h"
#include "everfold/projection/sqlite.h"
#include "everfold/v1/process_step.pb.h"

namespace everfold {

// A timer, in the order in which they are due.
struct DueTimer {
  std::int64_t due_micros = 0;  // since 1970
  std::string instance = {};    // key of its stream
  std::string name = {};
  Version version = {};  // of the step that set it
  friend auto operator<=>(const DueTimer&, const DueTimer&) = default;
};

struct OpenInstance {
  std::string key;  // of its stream
  Version version;
  std::uint32_t in_flight = 0;
  std::uint32_t timers = 0;
  absl::Time recorded_at = {};
};

struct FoundActivity {
  std::string instance;  // key of its stream
  OutgoingRef ref;
  bool ended = false;
  std::string answer_id = {};  // under which the answer came that has ended it
};

struct DirectoryCounts {
  std::uint64_t instances = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t timers = 0;
};

// Ended activities are known for so long, so that repeats of an answer are.
inline constexpr absl::Duration kKeepAnswers = absl::Hours(30 * 24);

// Threading: one thread at a time. Lifetime: `type` outlives it.
class ProcessDirectory {
 public:
  // Opens the file, or creates it, also in place of one that is damaged or does not fit. `why` is then why.
  static absl::StatusOr<std::unique_ptr<ProcessDirectory>> Open(const std::string& path, const ProcessType& type,
                                                                const Checkpoint& beginning, std::string* why);

  // OK if there is none.
  static absl::Status Remove(const std::string& path);

  // As of the last Commit.
  const Checkpoint& checkpoint() const { return checkpoint_; }
  const DirectoryCounts& counts() const { return counts_; }

  // Goes on with a step of an instance, in memory until Commit; after an error Rollback is the only thing to do. One
  // that is folded already changes nothing.
  absl::Status Apply(const StreamId& stream, Version version, const v1::ProcessStep& step, absl::Time recorded_at);
  absl::Status Commit(const Checkpoint& checkpoint);
  void Rollback();

  // Timers behind `after` that are due by `until`, in order, at most `limit`.
  absl::StatusOr<std::vector<DueTimer>> TimersAfter(const DueTimer& after, absl::Time until, std::size_t limit);
  // Instances behind the key, in order, at most `limit`: all, or those with something in flight.
  absl::StatusOr<std::vector<OpenInstance>> InstancesAfter(const std::string& key, std::size_t limit);
  absl::StatusOr<std::vector<OpenInstance>> InFlightAfter(const std::string& key, std::size_t limit);
  absl::StatusOr<std::optional<FoundActivity>> FindActivity(const std::string& activity_key);

 private:
  // What steps since the last Commit have come to, which the next one writes.
  struct FoldedTimer {
    std::string name;
    std::int64_t due_micros = 0;
    std::uint64_t version = 0;
  };
  struct FoldedInstance {
    std::optional<OpenInstance> was = {};  // in the file
    OpenInstance now = {};                 // without its key
    std::vector<FoldedTimer> timers = {};
    bool changed = false;
    bool is_over = false;  // and nothing of it is in flight
  };
  struct EndedActivity {
    std::int64_t ended_micros = 0;
    std::string answer_id = {};
  };
  struct FoldedActivity {
    std::string key;
    std::optional<EndedActivity> ended = {};
  };
  using ActivityPlace = std::pair<std::string, OutgoingRef>;  // key of the instance's stream
  struct Folded {
    std::map<std::string, FoldedInstance> instances = {};
    std::map<ActivityPlace, FoldedActivity> started = {};
    std::map<ActivityPlace, EndedActivity> ended = {};  // those that were started before
    absl::Time forget_until = absl::InfinitePast();     // of activities
  };

  ProcessDirectory(const ProcessType& type, Checkpoint beginning) : type_(type), checkpoint_(std::move(beginning)) {}
  absl::Status OpenDatabase(const std::string& path);
  absl::Status Inspect();
  absl::Status CreateTables();
  absl::Status LoadCheckpoint();
  absl::Status PrepareStatements();
  absl::Status Count();
  absl::StatusOr<std::optional<OpenInstance>> Find(const std::string& key);
  absl::Status WriteFolded();
  absl::Status WriteCheckpoint(const Checkpoint& checkpoint);
  absl::Status WriteInstance(const std::string& key, const FoldedInstance& folded);
  absl::Status WriteTimers(const std::string& key, const FoldedInstance& folded);
  absl::Status WriteStarted(const std::map<ActivityPlace, FoldedActivity>& started);
  absl::Status WriteStarted(const std::string& instance, const OutgoingRef& ref, const FoldedActivity& activity);
  absl::Status WriteEnded(const std::string& instance, const OutgoingRef& ref, const EndedActivity& ended);
  absl::StatusOr<std::vector<OpenInstance>> Read(sqlite::Statement& select, const std::string& key, std::size_t limit);

  const ProcessType& type_;
  Checkpoint checkpoint_;
  DirectoryCounts counts_;
  DirectoryCounts committed_;
  Folded folded_;
  std::unique_ptr<sqlite::Database> database_;
  std::unique_ptr<sqlite::Statement> begin_, commit_, write_partition_, find_, put_, remove_, put_timer_,
      remove_timers_, put_activity_, end_activity_, forget_activities_, timers_after_, instances_after_,
      in_flight_after_, find_activity_;
};

}  // namespace everfold
