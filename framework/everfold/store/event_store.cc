#include "everfold/store/event_store.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/digest.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/store/committer.h"
#include "everfold/store/durable_heads.h"
#include "everfold/store/log_recovery.h"
#include "everfold/store/store_index.h"
#include "everfold/store/stream_reader.h"

namespace everfold {
namespace {

class LogEventStore final : public EventStore {
 public:
  LogEventStore(EventStoreOptions options, PartitionLog& log, Executor& executor, const Clock& clock,
                RandomSource& random, RecoveredLog recovered)
      : log_(log),
        index_(std::move(recovered.index)),
        durable_(std::make_shared<DurableHeads>(executor, log.identity().epoch, recovered.tail.heads,
                                                recovered.tail.last_sequence)),
        committer_(std::make_shared<Committer>(options, log, executor, clock, random.Next(), index_, durable_,
                                               recovered.tail)) {}

  void Append(AppendRequest request, AppendDone done) override {
    committer_->Append(std::move(request), std::move(done));
  }
  Version VersionOf(const StreamId& stream) const override { return index_->VersionOf(stream); }
  absl::StatusOr<std::optional<AppendResult>> FindCommand(const std::string& tenant,
                                                          const CommandId& command) const override {
    const std::optional<RecordedCommand> known = index_->FindCommand({tenant, command.type, command.id});
    if (!known.has_value()) return std::nullopt;
    EVERFOLD_ASSIGN_OR_RETURN(AppendResult result, RepeatedResult(*known, command));
    return std::optional(std::move(result));
  }
  std::string FingerprintOfRequest(const std::string& request) const override {
    return HmacSha256(log_.identity().key, request);
  }
  absl::Status ReadStream(const StreamId& stream, Version after,
                          absl::FunctionRef<absl::Status(const RecordedEvent&)> visit) const override {
    return ReadStreamEvents(log_, *index_, stream, after, visit);
  }
  Sequence DurableSequence() const override { return durable_->sequence(); }
  Checkpoint DurableHead() const override { return durable_->checkpoint(); }
  std::unique_ptr<Watch> WatchDurable(Hint hint) override { return durable_->AddWatch(std::move(hint)); }
  PartitionLog& log() const override { return log_; }
  absl::Status health() const override { return committer_->health(); }
  void Close(Task done) override { committer_->Close(std::move(done)); }

 private:
  PartitionLog& log_;
  const std::shared_ptr<StoreIndex> index_;
  const std::shared_ptr<DurableHeads> durable_;
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
  EVERFOLD_ASSIGN_OR_RETURN(RecoveredLog recovered, RecoverLog(log));
  return std::unique_ptr<EventStore>(
      std::make_unique<LogEventStore>(options, log, executor, clock, random, std::move(recovered)));
}

ConsistencyToken TokenOf(const EventStore& store, const AppendResult& result) {
  std::map<std::uint32_t, Offset> last;
  for (const StreamResult& stream : result.streams) {
    Offset& offset = last[stream.position.partition.value()];
    offset = std::max(offset, stream.position.offset);
  }
  ConsistencyToken token{.epoch = store.log().identity().epoch, .positions = {}};
  for (const auto& [partition, offset] : last) token.positions.push_back({PartitionId(partition), offset});
  return token;
}

}  // namespace everfold
