// A running process: subscription -> instances -> commands, activities and timers. The one bridge from what has
// happened back to what is to be done.
//
// Each input of an instance and what comes of it is one commit in the instance's stream (everfold.v1.ProcessStep), at
// the version that is expected: of two that run one process, one is stopped. Nothing is sent before it is on record,
// and what is on record is sent until it is known what became of it, also after a restart, with the same id. An event
// that comes again is known by its place in the log, a timer and an answer by what is open. So every input counts once.
//
// How far it has come in the log is kept as a reactor's place is (reaction/reactor_place.h), in "$process/<name>".
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/base/clock.h"
#include "everfold/base/random.h"
#include "everfold/command/command_handler.h"
#include "everfold/process/process_directory.h"
#include "everfold/process/process_instance.h"
#include "everfold/process/process_status.h"
#include "everfold/process/process_type.h"
#include "everfold/runtime/executor.h"
#include "everfold/store/event_store.h"
#include "everfold/telemetry/logger.h"
#include "everfold/v1/reactor_checkpoint.pb.h"

namespace everfold {

struct ProcessRunnerOptions {
  std::string directory;                   // where <name>.db is kept; it is made where it is missing
  std::size_t max_events_under_way = 256;  // of different instances
  std::size_t max_in_flight = 4096;        // commands; with more, no event or timer is taken
  std::size_t max_activities = 65536;      // that are open and known here; likewise
  std::size_t max_timers_in_memory = 16384;
  std::size_t max_idle_instances = 1024;  // that are kept in memory
  // Accepted commands that no step follows are put on record after this time, or when there are so many.
  absl::Duration record_accepted_after = absl::Minutes(10);
  std::size_t max_accepted_unrecorded = 4096;
  // Beyond this age a command that was in flight before a restart is not sent again, as the store may not know its id
  // any more (StoreIndexOptions::command_retention): an operator decides.
  absl::Duration command_retention = absl::Hours(6 * 24);
  // After an error of the log, or of a command that may go through later: the first pause, doubled up to the longest.
  absl::Duration first_retry = absl::Milliseconds(100);
  absl::Duration longest_retry = absl::Seconds(30);
  std::size_t max_parked_instances = 100;  // with more it stops
  // Whatever the clock says, timers are looked at after this time: a clock that jumps is noticed.
  absl::Duration longest_sleep = absl::Seconds(5);
  // Those that are due by then are in memory, as far as they fit. Of others most are cancelled before it comes to that.
  absl::Duration timers_read_ahead = absl::Minutes(1);
  const Clock* clock = nullptr;    // null: the system's; else it outlives the process
  RandomSource* random = nullptr;  // null: the system's; likewise
  Logger* logger = nullptr;        // null: nothing is told; likewise
};

// Threading: thread-safe, but for Open, Start and Close. Lifetime: store, commands and executor outlive it.
class Process {
 public:
  using Done = absl::AnyInvocable<void(absl::Status)>;

  // Reads its place, and does not run yet. REQUIRES: `commands` records the outcome of each command of the process
  // (CommandType::records_outcomes), also where there is no event: one that is sent again is answered by its record.
  //   INVALID_ARGUMENT  a name or options that cannot be
  // and those of its directory's file. A place that it cannot go on from is no error of Open: its status tells.
  static absl::StatusOr<std::unique_ptr<Process>> Open(ProcessRunnerOptions options, ProcessType type,
                                                       EventStore& store, CommandHandler& commands, Executor& executor);
  virtual ~Process() = default;

  // Takes up what was open, and follows the log until Close. As Reactor::Start: what is appended later is taken.
  virtual void Start() = 0;

  virtual const ProcessType& type() const = 0;
  virtual ProcessStatus Describe() const = 0;

  // Where an answer comes from outside, for example from a provider's webhook: ends the activity of this key with a
  // result, or a status that is not OK: what failed, and had no effect. `answer_id` is the answer's own, 1 to 200
  // bytes. `done` is called on the executor, when the answer is on record; OK also for a repeat, that is, one under the
  // id that has ended the activity.
  //   INVALID_ARGUMENT     the result is no message of the activity's Result, or the id cannot be
  //   NOT_FOUND            there is no such activity, or it ended more than kKeepAnswers ago
  //   FAILED_PRECONDITION  it has ended otherwise; the process does not get on with it; an event is parked
  //   UNAVAILABLE          the process is stopped, paused or closing, or its directory is too far behind
  virtual void Answer(std::string activity_key, std::string answer_id, absl::StatusOr<std::string> result,
                      Done done) = 0;

  // What follows is for operators. Each `done` is called once, on the executor; UNAVAILABLE (SHUTTING_DOWN) if the
  // process closes before.

  // Takes no input until Resume, after a restart either. What is in flight goes on.
  virtual void Pause(Done done) = 0;
  // Also tries at once what an error has stopped, with what is on record.
  virtual void Resume(Done done) = 0;
  // As Reactor::Reset, of the place in the log. What is open stays open, and is taken up.
  virtual void Reset(v1::ReactorResetTo to, std::string reason, Done done) = 0;

  // Instances that wait for an operator, with an event for another try, or with a command that has been sent in vain
  // several times, in the order of their keys.
  virtual void ListParked(absl::AnyInvocable<void(absl::StatusOr<std::vector<ParkedInstance>>)> done) = 0;
  // Here and below an instance is named by the key of its stream, as it is listed, or by its id if it has no tenant.
  // Tries what is listed again, at once. NOT_FOUND (NOT_PARKED) if nothing of the instance is.
  virtual void Retry(std::string instance, Done done) = 0;
  // All that is listed, but for commands that are too old: of each of these an operator knows whether it was decided.
  // OK also if nothing is.
  virtual void RetryAll(Done done) = 0;
  // Leaves out what is listed, for good and on record. `input` is ParkedInstance::input: who asks has looked at it.
  //   INVALID_ARGUMENT     no reason, or one of more than 1000 bytes or that is not printable
  //   NOT_FOUND            as Retry
  //   FAILED_PRECONDITION  another input is parked by now (NOT_PARKED)
  virtual void Drop(std::string instance, std::string input, std::string reason, Done done) = 0;

  // Open instances behind the key, in the order of their keys, at most `limit`; as far as the directory has come.
  virtual void ListInstances(std::string after, std::size_t limit,
                             absl::AnyInvocable<void(absl::StatusOr<std::vector<OpenInstance>>)> done) = 0;
  // One, as its stream has it, also if it has ended, and how often what is open was tried since Start. INVALID_ARGUMENT
  // for what is no id; NOT_FOUND.
  virtual void Get(std::string tenant, std::string id,
                   absl::AnyInvocable<void(absl::StatusOr<ProcessInstance>)> done) = 0;

  // Takes no further input, waits for what is under way, puts on record what was accepted, then calls `done` on the
  // executor. To be closed before the command handler is. Whoever destroys a process without it makes sure that the
  // executor runs none of its steps any more.
  virtual void Close(Task done) = 0;
};

}  // namespace everfold
