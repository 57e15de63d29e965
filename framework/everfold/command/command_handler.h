// The command side in one place: validate -> route -> load -> decide -> append -> receipt.
//
// Commands of one stream are handled one after the other, in the order in which they came; different streams go on
// side by side. The state of a stream is kept in a bounded cache, and folded from the store when it is not there.
// Commands to a boundary that rely on the same tags likewise; their state is folded anew for each.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/base/clock.h"
#include "everfold/base/random.h"
#include "everfold/command/command_stats.h"
#include "everfold/command/snapshot_options.h"
#include "everfold/decide/aggregate_type.h"
#include "everfold/decide/boundary_type.h"
#include "everfold/event/consistency_token.h"
#include "everfold/runtime/executor.h"
#include "everfold/store/event_store.h"
#include "everfold/store/snapshots/snapshot_store.h"
#include "google/protobuf/message.h"

namespace everfold {

struct CommandRequest {
  // The command. It must live, unchanged, until the answer.
  const google::protobuf::Message* command = nullptr;
  std::string request_id;                   // empty: no protection against repeats
  std::optional<Version> expected_version;  // 0: the stream must not exist
  std::string tenant;
  Metadata metadata;
  absl::Time deadline = absl::InfiniteFuture();  // by the handler's clock; not decided after it
  // Where violations say the command's fields are, for example "command.".
  std::string field_path;
  // Not OK: somebody on the way has refused it, and that is the answer.
  absl::Status refused = {};
  // The calling thread may decide, this and what others sent meanwhile, and answer before Handle returns, where there
  // is nothing to wait for: that spares a change of threads. A decorator that cannot bear it, because it holds a lock
  // which its `done` takes, clears it.
  bool within_call = false;
  // Set when its caller has gone: if it is not decided yet, it never is. Lives until the answer.
  const std::atomic<bool>* abandoned = nullptr;
};

struct StreamVersion {
  StreamId stream;
  Version version;
  friend bool operator==(const StreamVersion&, const StreamVersion&) = default;
};

// Durable when it is handed out.
struct CommandReceipt {
  // Of a command to a boundary: the first one in `streams`; without an id if it added nothing.
  StreamId stream;
  Version version;  // of the stream, after the command
  ConsistencyToken token;
  Sequence sequence;  // of the commit; 0 if nothing was added
  absl::Time recorded_at;
  bool repeated = false;
  // Of a command to a boundary: the streams that it added events to, in the order of their names.
  std::vector<StreamVersion> streams = {};
};

// Accepted, or refused by a business rule.
using CommandOutcome = std::variant<CommandReceipt, Rejection>;

// Asks for the state of an aggregate.
struct StateRequest {
  StreamId stream;
  // As it was: at that version, or at that recorded time. At most one of the two; without either, as it is.
  std::optional<Version> version = {};
  std::optional<absl::Time> as_of = {};
  absl::Time deadline = absl::InfiniteFuture();  // as CommandRequest's
};

struct StateAnswer {
  std::unique_ptr<google::protobuf::Message> state;
  Version version;  // 0: the stream does not exist, or did not then
  ConsistencyToken token;
};

// Who takes a type of command.
struct CommandTarget {
  const AggregateType* aggregate = nullptr;  // nullptr for a boundary's
  const CommandType* type = nullptr;
  const BoundaryType* boundary = nullptr;  // nullptr for an aggregate's
};

struct CommandHandlerOptions {
  // Of aggregate states, as SpaceUsedLong counts. Those of streams with commands under way count as well, but are there
  // whatever they take: these are bounded by max_commands.
  std::size_t max_cached_bytes = 64 << 20;
  // Beyond these, commands are refused with RESOURCE_EXHAUSTED.
  std::size_t max_commands = 65536;            // under way, in all
  std::size_t max_command_bytes = 64 << 20;    // of their messages and metadata, likewise
  std::size_t max_waiting_per_stream = 10000;  // for their decision; of boundaries: for a tag
  // Decided on a state that is not durable yet.
  std::size_t max_decided_ahead_per_stream = 1024;
  int max_conflict_retries = 10;       // when somebody else appended to the stream, or what a boundary relies on
  SnapshotStore* snapshots = nullptr;  // nullptr: none are kept; outlives the handler
  SnapshotOptions snapshot = {};
  // A Decide that takes longer is counted, and told from its thread.
  absl::Duration slow_decision = absl::Milliseconds(50);
  // Of a boundary, `stream` has the name as its aggregate, and no id.
  std::function<void(const std::string& command, const StreamId& stream, absl::Duration took)> on_slow_decision =
      nullptr;
};

// Threading: thread-safe. Lifetime: store, executor, clock and random outlive it.
class CommandHandler {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<CommandOutcome>)>;
  using StateDone = absl::AnyInvocable<void(absl::StatusOr<StateAnswer>)>;

  static std::unique_ptr<CommandHandler> Create(CommandHandlerOptions options, std::vector<AggregateType> aggregates,
                                                EventStore& store, Executor& executor, const Clock& clock,
                                                RandomSource& random);
  // The same, with boundaries whose deciders emit events of the aggregates.
  static std::unique_ptr<CommandHandler> Create(CommandHandlerOptions options, std::vector<AggregateType> aggregates,
                                                std::vector<BoundaryType> boundaries, EventStore& store,
                                                Executor& executor, const Clock& clock, RandomSource& random);
  virtual ~CommandHandler() = default;

  // `done` is called once, on the executor, or on a thread that is in a call of Handle with `within_call`; never before
  // Handle returns unless the request allows that. It must not block. Errors:
  //   INVALID_ARGUMENT    a field rule (COMMAND_INVALID, BadRequest with all violations), a malformed id or request_id,
  //                       or a request_id of another request (IDEMPOTENCY_KEY_REUSED)
  //   ALREADY_EXISTS, NOT_FOUND  the command expects a new, an existing stream (ResourceInfo)
  //   ABORTED             not the expected version (VERSION_CONFLICT), or others appended too often what a boundary's
  //                       decision relies on (CONDITION_FAILED)
  //   RESOURCE_EXHAUSTED, UNKNOWN, UNAVAILABLE  as EventStore::Append
  //   DEADLINE_EXCEEDED   the deadline passed before it was decided
  //   CANCELLED           its caller had gone before it was decided (CALLER_GONE)
  //   INTERNAL            the decider threw (DECIDER_FAILED)
  virtual void Handle(CommandRequest request, Done done) = 0;

  // The state of an aggregate, durable when it is handed out, and never older than what was answered before. `done` as
  // in Handle. Errors:
  //   INVALID_ARGUMENT    a malformed stream id, or both a version and a time
  //   UNIMPLEMENTED       no such aggregate
  //   OUT_OF_RANGE        a version that the stream does not have yet (BEYOND_HEAD)
  //   and those of StateLoader::Load
  virtual void GetState(StateRequest request, StateDone done) = 0;

  // By the command's full message name; nullopt if nobody takes it.
  virtual std::optional<CommandTarget> FindTarget(const std::string& command) const = 0;

  virtual CommandStats stats() const = 0;

  // Refuses what comes with UNAVAILABLE (SHUTTING_DOWN), lets what is under way end, then calls `done`.
  virtual void Close(Task done) = 0;
};

}  // namespace everfold
