// The event store, on any log: streams with versions, append conditions, command ids, and reads.
//
// One committer gives every commit its sequence, its recorded time and its offsets. It takes whatever appends are
// waiting, checks their conditions in order against the durable state and what is on its way, packs one chunk a
// partition and appends the group to the log; while that group is being made durable, the next ones gather and follow.
// Nothing is answered, readable or watched before it is durable.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/base/clock.h"
#include "everfold/base/random.h"
#include "everfold/event/commit.h"
#include "everfold/event/consistency_token.h"
#include "everfold/event/event_query.h"
#include "everfold/event/recorded_event.h"
#include "everfold/event/stored_names.h"
#include "everfold/log/partition_log.h"
#include "everfold/runtime/executor.h"
#include "everfold/store/append.h"
#include "everfold/store/store_index.h"
#include "everfold/store/stream_range.h"
#include "everfold/store/verify_log.h"

namespace everfold {

struct EventStoreOptions {
  std::size_t max_waiting_appends = 65536;   // beyond it, appends are refused with RESOURCE_EXHAUSTED
  std::size_t max_waiting_bytes = 64 << 20;  // of encoded commits; likewise
  std::size_t max_group_commits = 4096;      // in one group
  std::size_t max_group_bytes = 4 << 20;     // of encoded commits in one group; a single one may be larger
  std::size_t max_groups_on_the_way = 4;     // in the log's hands at once
  std::size_t min_group_commits = 16;        // below which no further group is sent while one is on its way
  StoredNames stored_names = {};             // what queries by type ask for beside the types that they name
  StoreIndexOptions index;                   // without a directory the index is in memory alone, without limit
  // Where the index writes its files; default: a thread, if it has a directory, and another one that merges them while
  // nothing is appended.
  std::function<std::unique_ptr<Strand>()> make_index_strand = nullptr;
  // Called, with the reason, when the index begins anew: it then takes in the whole log.
  std::function<void(const std::string& why)> on_index_began_anew = nullptr;
  // Called every now and then while the index catches up with the log.
  std::function<void(const IndexProgress&)> on_index_progress = nullptr;
};

// Threading: thread-safe, but for Open and Close. Lifetime: log, executor, clock and random outlive it.
class EventStore {
 public:
  using AppendDone = absl::AnyInvocable<void(absl::StatusOr<AppendResult>)>;
  using Hint = absl::AnyInvocable<void()>;

  // Ends its watch when it is destroyed; the hint may still be running then.
  class Watch {
   public:
    virtual ~Watch() = default;
  };

  // FAILED_PRECONDITION if the log has several partitions and cannot append to them at once.
  // Reads what the index does not have of the log, all of it if there is no index. DATA_LOSS, and where, if that part
  // of the log is damaged or not dense, or if the index knows more than the log: it has lost what it acknowledged.
  static absl::StatusOr<std::unique_ptr<EventStore>> Open(EventStoreOptions options, PartitionLog& log,
                                                          Executor& executor, const Clock& clock, RandomSource& random);
  virtual ~EventStore() = default;

  // `done` is called once, on the executor or on the log's strand, never before Append returns; it must not block. It
  // is called only when the append, and every append before it that it depends on, is durable:
  //   INVALID_ARGUMENT    malformed or beyond a limit; or the command id was used by another request
  //                       (IDEMPOTENCY_KEY_REUSED)
  //   PERMISSION_DENIED   a name is the framework's own (RESERVED_NAME)
  //   ABORTED             an expectation does not hold (VERSION_CONFLICT, with expected and actual), or there are
  //                       events that the condition excludes (CONDITION_FAILED, with one of them), or it stands on
  //                       an append that was not made (PREDECESSOR_DROPPED)
  //   RESOURCE_EXHAUSTED  too many appends are waiting (OVERLOADED, with RetryInfo), or the disk is full
  //   UNKNOWN             the log failed in the middle (OUTCOME_UNKNOWN): the events may be durable or not. The store
  //                       is closed from then on; after a restart the command id tells.
  //   UNAVAILABLE         the store is closed (STORE_CLOSED)
  // In all cases but UNKNOWN an error means that nothing was changed.
  virtual void Append(AppendRequest request, AppendDone done) = 0;

  // Version of the durable stream; 0 if there is none. Errors here and below: DATA_LOSS, INTERNAL (STORAGE_FAILED).
  virtual absl::StatusOr<Version> VersionOf(const StreamId& stream) const = 0;

  // The durable result of a command, with `repeated` set; nullopt if the id is not known. INVALID_ARGUMENT
  // (IDEMPOTENCY_KEY_REUSED) if it belongs to another request, that is, to one with another fingerprint.
  virtual absl::StatusOr<std::optional<AppendResult>> FindCommand(const std::string& tenant,
                                                                  const CommandId& command) const = 0;

  // Commands that were recorded before it may be forgotten: by recorded time, whatever a clock says
  // (StoreIndexOptions::command_retention). It moves on with what is appended.
  virtual absl::Time CommandsSince() const = 0;

  // HMAC-SHA-256 of a request under the store's key, cut to 8 bytes: CommandId::fingerprint.
  virtual std::string FingerprintOfRequest(const std::string& request) const = 0;

  // Calls `visit` for the durable events of a stream, or of a part of it, in order, until it returns an error, which is
  // then the result. A stream that does not exist has no events. Versions that are missing were erased.
  //   INVALID_ARGUMENT  no name of a stream, a limit of 0, or an end before the begin (REQUEST_INVALID)
  //   OUT_OF_RANGE      the range begins after a version that the stream does not have yet (BEYOND_HEAD)
  virtual absl::Status ReadStream(const StreamId& stream, const StreamRange& range,
                                  absl::FunctionRef<absl::Status(const RecordedEvent&)> visit) const = 0;

  // Calls `visit` for the tenant's events that meet the query, which names a tag in each item, in commits up to `upto`,
  // a durable sequence, in order of sequence; those of one commit in order of position. Ends with the first error that
  // `visit` returns, which is then the result. An append that decides on what it has read is made on the condition of
  // the same query after `upto`.
  //   INVALID_ARGUMENT  an item without tags, or none (REQUEST_INVALID), and those of ValidateQuery
  virtual absl::Status ReadTagged(const std::string& tenant, EventQuery query, Sequence upto,
                                  absl::FunctionRef<absl::Status(const RecordedEvent&)> visit) const = 0;

  // A part of such a read, in some milliseconds, of the events in commits above `after`: returns the sequence up to
  // which it has come, from which the next part goes on. `upto`, or more: there is no next one.
  virtual absl::StatusOr<Sequence> ReadTaggedPart(
      const std::string& tenant, EventQuery query, Sequence after, Sequence upto,
      absl::FunctionRef<absl::Status(const RecordedEvent&)> visit) const = 0;

  // Everything with a sequence at or below this is durable and readable.
  virtual Sequence DurableSequence() const = 0;
  // The last durable offset of each partition. Never beyond what DurableSequence, read afterwards, covers.
  virtual Checkpoint DurableHead() const = 0;

  // Calls `hint` on the executor after the durable sequence moved. A hint may come late, for no reason, or while
  // another one is still running.
  virtual std::unique_ptr<Watch> WatchDurable(Hint hint) = 0;

  // Of everything that is durable now, log and index; while the store is at work. Blocks: not from a task of the
  // executor.
  virtual absl::StatusOr<VerifyReport> Verify(const VerifyOptions& options) const = 0;

  virtual PartitionLog& log() const = 0;
  // The types that the durable log defines, which readers of chunks need.
  virtual const TypeDictionary& types() const = 0;
  // As the options have them: for readers of selections, before they begin to read.
  virtual const StoredNames& stored_names() const = 0;
  // Why the store closed by itself, OK while it did not.
  virtual absl::Status health() const = 0;

  // Lets what is waiting end, refuses what comes, lets the index write what it has, then calls `done`.
  virtual void Close(Task done) = 0;
};

// The token for all that is durable in a stream's partition.
ConsistencyToken TokenOfHead(const EventStore& store, const StreamId& stream);
// The token for an append's positions.
ConsistencyToken TokenOf(const EventStore& store, const AppendResult& result);

}  // namespace everfold
