// A running reactor: subscription -> handlers with effects outside. It follows the log as a projection does, but knows
// no rebuild: what was reacted to is done, whatever becomes of the read models.
//
// Where it stands is kept in the log (reactor_place.h), so that a backup takes it along, and so that of two processes
// that react under one name one is stopped. It is saved a second after a change or after 1000 events at the latest;
// what was done since is done again after a crash, with the same ids. A clean stop does nothing again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/base/clock.h"
#include "everfold/base/random.h"
#include "everfold/event/event_selection.h"
#include "everfold/reaction/reactor_place.h"
#include "everfold/reaction/reactor_status.h"
#include "everfold/reaction/reactor_type.h"
#include "everfold/runtime/executor.h"
#include "everfold/store/event_store.h"
#include "everfold/telemetry/logger.h"

namespace everfold {

struct ReactorRunnerOptions {
  std::string data_directory = {};            // that handlers are told of
  std::string aggregate = kReactorAggregate;  // of the stream that holds its place
  std::size_t max_events_in_hand = 256;       // that are taken from the log and not done
  std::size_t max_bytes_in_hand = 16 << 20;   // of their payloads, and a few events more
  std::size_t max_waiting_keys = 100;         // for another try; with so many, no more are taken from the log
  std::size_t max_parked_keys = 100;          // with more it stops
  std::uint64_t max_unsaved_events = 1000;    // that are done, or passed over, until its place is saved
  absl::Duration save_after = absl::Seconds(1);
  // After an error of the log: the first pause, doubled up to the longest.
  absl::Duration first_retry = absl::Milliseconds(100);
  absl::Duration longest_retry = absl::Seconds(30);
  // Where handlers run, which may block; one for each that runs at a time. Null: threads.
  std::function<std::unique_ptr<Strand>(const std::string& name)> make_thread = nullptr;
  const Clock* clock = nullptr;    // null: the system's; else it outlives the reactor
  RandomSource* random = nullptr;  // null: the system's; likewise
  Logger* logger = nullptr;        // null: nothing is told; likewise
};

// Threading: thread-safe, but for Open, Start and Close. Lifetime: store and executor outlive it.
class Reactor {
 public:
  using Done = absl::AnyInvocable<void(absl::Status)>;

  // Reads its place, and does not run yet. One that has none has it at the head of the log now, or at its beginning
  // (ReactorOptions::start).
  //   INVALID_ARGUMENT  a name or options that cannot be
  //   INTERNAL          its object cannot be made
  // A place that it cannot go on from is no error of Open: it then stands still, and its status tells.
  static absl::StatusOr<std::unique_ptr<Reactor>> Open(ReactorRunnerOptions options, ReactorType type,
                                                       EventStore& store, Executor& executor);
  virtual ~Reactor() = default;

  // Follows the log until Close. Before it returns, a place that is new is on its way into the log: what is appended
  // later is reacted to, even if the process is killed. If the log refuses that place, because the disk is full, it has
  // not begun: it tries again until the log takes it, and a process that is killed before begins anew.
  virtual void Start() = 0;

  virtual const ReactorType& type() const = 0;
  virtual ReactorStatus Describe() const = 0;

  // What follows is for operators. Each `done` is called once, on the executor, as soon as the log has it; UNAVAILABLE
  // (SHUTTING_DOWN) if it closes before. After another error of the log it is tried again, and may be done
  // nevertheless.

  // Begins no more reactions until Resume, after a restart either. OK if it is so already.
  virtual void Pause(Done done) = 0;
  // Also tries at once what an error has stopped; from its place in the log, where that was another process that reacts
  // under its name. FAILED_PRECONDITION while a Reset, or another Resume, is under way.
  virtual void Resume(Done done) = 0;
  // Goes on elsewhere, once the handlers under way have ended. For the record: `reason`, 1 to 1000 bytes.
  // To the head: nothing that is in the log by now is reacted to, and no key waits any more.
  // As it was: a place in another history of the store, as it is after a restore, is taken for one in this history.
  //   INVALID_ARGUMENT     no reason, or one that cannot be
  //   FAILED_PRECONDITION  as it was: it does not stand in another history, or this one is shorter; or another Reset is
  //                        under way
  virtual void Reset(v1::ReactorResetTo to, std::string reason, Done done) = 0;

  // Those that wait for another try, or are parked, in the order of the key. `done` is called on the executor.
  virtual void ListKeys(absl::AnyInvocable<void(absl::StatusOr<std::vector<ReactorKey>>)> done) = 0;
  // Tries the first event of the key again, at once and as if for the first time; what comes of it ListKeys tells.
  // NOT_FOUND (NOT_PARKED) if the key neither waits nor is parked.
  virtual void Retry(std::string key, Done done) = 0;
  // All keys.
  virtual void RetryAll(Done done) = 0;
  // Leaves out the first event of the key, for good and on record, and goes on with those behind it. It is named by its
  // stream and its version there: who asks has looked at it.
  //   INVALID_ARGUMENT     no reason, or one of more than 1000 bytes or that is not printable
  //   NOT_FOUND            as Retry
  //   FAILED_PRECONDITION  another event is the first one by now (NOT_PARKED)
  virtual void Drop(std::string key, StreamId stream, Version version, std::string reason, Done done) = 0;

  // Begins no more reactions, waits for the handlers under way, saves its place, then calls `done` on the executor.
  // Whoever destroys a reactor without it makes sure that the executor runs none of its steps any more.
  virtual void Close(Task done) = 0;
};

inline constexpr std::size_t kMaxReactorReasonBytes = 1000;

}  // namespace everfold
