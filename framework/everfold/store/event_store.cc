#include "everfold/store/event_store.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/digest.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/partitioning.h"
#include "everfold/runtime/disk_thread.h"
#include "everfold/store/committer.h"
#include "everfold/store/durable_heads.h"
#include "everfold/store/missed_events.h"
#include "everfold/store/recorded_command.h"
#include "everfold/store/store_index.h"
#include "everfold/store/stream_reader.h"
#include "everfold/store/tagged_events.h"

namespace everfold {
namespace {

// It is stored with every commit, and proves nothing: it tells a request from another one under the same command id.
// Whoever wanted two that meet would have to send about 2^64 of them.
constexpr std::size_t kRequestFingerprintBytes = 8;

std::unique_ptr<Strand> IndexStrand(const EventStoreOptions& options, Executor& executor) {
  if (options.make_index_strand != nullptr) return options.make_index_strand();
  if (options.index.directory.empty()) return executor.MakeStrand();
  return std::make_unique<DiskThread>("everfold-index", DiskThread::Priority::kLow);
}

bool HasChunks(const PartitionLog& log) {
  for (std::uint32_t i = 0; i < log.identity().partitions; ++i) {
    if (log.Head(PartitionId(i)).chunk_number > 0) return true;
  }
  return false;
}

// The index, with the strand that it writes on.
absl::StatusOr<std::shared_ptr<StoreIndex>> OpenIndex(const EventStoreOptions& options, const PartitionLog& log,
                                                      Executor& executor) {
  std::shared_ptr<Strand> strand = IndexStrand(options, executor);
  StoreIndexOptions index_options = options.index;
  if (!index_options.directory.empty() && options.make_index_strand == nullptr) {
    index_options.idle_merging = std::make_shared<DiskThread>("everfold-merge", DiskThread::Priority::kLow);
    index_options.idle_timers = &executor;
  }
  std::string began_anew;
  EVERFOLD_ASSIGN_OR_RETURN(std::unique_ptr<StoreIndex> index,
                            StoreIndex::Open(std::move(index_options), log.identity(), *strand, began_anew));
  if (!began_anew.empty() && HasChunks(log) && options.on_index_began_anew != nullptr) {
    options.on_index_began_anew(began_anew);
  }
  return std::shared_ptr<StoreIndex>(index.release(), [strand](const StoreIndex* end) { delete end; });
}

class LogEventStore final : public EventStore {
 public:
  LogEventStore(EventStoreOptions options, PartitionLog& log, Executor& executor, const Clock& clock,
                RandomSource& random, std::shared_ptr<StoreIndex> index)
      : log_(log),
        index_(std::move(index)),
        durable_(std::make_shared<DurableHeads>(executor, log.identity().epoch, index_->tail().heads,
                                                index_->tail().last_sequence)),
        stored_names_(options.stored_names),
        committer_(std::make_shared<Committer>(
            std::move(options), CommitterParts{log, executor, clock, index_, durable_}, random.Next())) {}

  void Append(AppendRequest request, AppendDone done) override {
    done = TellingMissedEvents(request, stored_names_, log_, index_, std::move(done));
    committer_->Append(std::move(request), std::move(done));
  }
  absl::StatusOr<Version> VersionOf(const StreamId& stream) const override { return index_->VersionOf(stream); }
  absl::StatusOr<std::optional<AppendResult>> FindCommand(const std::string& tenant,
                                                          const CommandId& command) const override {
    EVERFOLD_ASSIGN_OR_RETURN(const std::optional<RecordedCommand> known,
                              ReadCommand(log_, *index_, {tenant, command.type, command.id}));
    if (!known.has_value()) return std::nullopt;
    EVERFOLD_ASSIGN_OR_RETURN(AppendResult result, RepeatedResult(*known, command));
    return std::optional(std::move(result));
  }
  absl::Time CommandsSince() const override { return index_->CommandsSince(); }
  std::string FingerprintOfRequest(const std::string& request) const override {
    return HmacSha256(log_.identity().key, request).substr(0, kRequestFingerprintBytes);
  }
  absl::Status ReadStream(const StreamId& stream, const StreamRange& range,
                          absl::FunctionRef<absl::Status(const RecordedEvent&)> visit) const override {
    return ReadStreamEvents(log_, *index_, stream, range, visit);
  }
  absl::Status ReadTagged(const std::string& tenant, EventQuery query, Sequence upto,
                          absl::FunctionRef<absl::Status(const RecordedEvent&)> visit) const override {
    Sequence after;
    do {
      EVERFOLD_ASSIGN_OR_RETURN(after, ReadTaggedPart(tenant, query, after, upto, visit));
    } while (after < upto);
    return absl::OkStatus();
  }
  absl::StatusOr<Sequence> ReadTaggedPart(const std::string& tenant, EventQuery query, Sequence after, Sequence upto,
                                          absl::FunctionRef<absl::Status(const RecordedEvent&)> visit) const override {
    EVERFOLD_RETURN_IF_ERROR(ValidateQuery(query));
    stored_names_.AddTo(query);
    return everfold::ReadTaggedPart(log_, *index_, tenant, query, after, upto, visit);
  }
  Sequence DurableSequence() const override { return durable_->sequence(); }
  Checkpoint DurableHead() const override { return durable_->checkpoint(); }
  std::unique_ptr<Watch> WatchDurable(Hint hint) override { return durable_->AddWatch(std::move(hint)); }
  absl::StatusOr<VerifyReport> Verify(const VerifyOptions& options) const override {
    return VerifyLog({.log = log_, .index = index_.get(), .upto = DurableSequence()}, options);
  }
  PartitionLog& log() const override { return log_; }
  const TypeDictionary& types() const override { return index_->types(); }
  const StoredNames& stored_names() const override { return stored_names_; }
  absl::Status health() const override { return committer_->health(); }
  void Close(Task done) override {
    committer_->Close([this, done = std::move(done)]() mutable { index_->Close(std::move(done)); });
  }

 private:
  PartitionLog& log_;
  const std::shared_ptr<StoreIndex> index_;
  const std::shared_ptr<DurableHeads> durable_;
  const StoredNames stored_names_;
  const std::shared_ptr<Committer> committer_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<EventStore>> EventStore::Open(EventStoreOptions options, PartitionLog& log,
                                                             Executor& executor, const Clock& clock,
                                                             RandomSource& random) {
  if (!log.atomic_across_partitions() && log.identity().partitions > 1) {
    return Error(absl::StatusCode::kFailedPrecondition, reason::kStoreMismatch,
                 absl::StrFormat("this log cannot append to several of its %d partitions at once, as a store does",
                                 log.identity().partitions));
  }
  EVERFOLD_ASSIGN_OR_RETURN(const std::shared_ptr<StoreIndex> index, OpenIndex(options, log, executor));
  EVERFOLD_RETURN_IF_ERROR(RecoverIndex(log, *index, options.on_index_progress));
  return std::unique_ptr<EventStore>(
      std::make_unique<LogEventStore>(std::move(options), log, executor, clock, random, index));
}

ConsistencyToken TokenOfHead(const EventStore& store, const StreamId& stream) {
  const Checkpoint head = store.DurableHead();
  const PartitionId partition = PartitionOf(stream, static_cast<std::uint32_t>(head.offsets.size()));
  return {head.epoch, {{partition, head.offsets[partition.value()]}}};
}

// Streams are few, nearly always one.
ConsistencyToken TokenOf(const EventStore& store, const AppendResult& result) {
  ConsistencyToken token{.epoch = store.log().identity().epoch, .positions = {}, .sequence = result.sequence};
  std::vector<Position>& positions = token.positions;
  positions.reserve(result.streams.size());
  for (const StreamResult& stream : result.streams) positions.push_back(stream.position);
  std::sort(positions.begin(), positions.end(), std::greater<>());
  const auto same = [](const Position& a, const Position& b) { return a.partition == b.partition; };
  positions.erase(std::unique(positions.begin(), positions.end(), same), positions.end());
  std::reverse(positions.begin(), positions.end());
  return token;
}

}  // namespace everfold
