#include "everfold/subscription/group_checkpoint.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/mutex.h"
#include "everfold/base/status.h"
#include "everfold/event/event_selection.h"
#include "everfold/event/fingerprint.h"
#include "everfold/event/partitioning.h"
#include "everfold/subscription/newest_event.h"
#include "everfold/subscription/reading_checks.h"
#include "everfold/subscription/subscription.h"
#include "everfold/v1/group_checkpoint.pb.h"

namespace everfold {
namespace {

using SaveDone = GroupCheckpoint::SaveDone;

NewEvent EventOf(const Checkpoint& checkpoint) {
  static const std::string* const fingerprint = new std::string(FingerprintOf(*v1::GroupCheckpoint::descriptor()));
  v1::GroupCheckpoint message;
  message.set_epoch(checkpoint.epoch.bytes);
  for (const Offset offset : checkpoint.offsets) message.add_offsets(offset.value());
  return {.type = v1::GroupCheckpoint::descriptor()->full_name(),
          .fingerprint = *fingerprint,
          .payload = message.SerializeAsString(),
          .event_time = {},
          .tags = {}};
}

absl::StatusOr<Checkpoint> CheckpointOf(const RecordedEvent& event) {
  v1::GroupCheckpoint message;
  const bool decoded = event.event.type == v1::GroupCheckpoint::descriptor()->full_name() &&
                       message.ParseFromArray(event.event.payload.data(), static_cast<int>(event.event.payload.size()));
  if (!decoded) {
    return Error(
        absl::StatusCode::kDataLoss, reason::kDataLoss,
        absl::StrFormat("version %d of %s is no checkpoint", event.version.value(), event.stream.stream.ToString()));
  }
  Checkpoint checkpoint{.epoch = {message.epoch()}, .offsets = {}};
  for (const std::uint64_t offset : message.offsets()) checkpoint.offsets.emplace_back(offset);
  return checkpoint;
}

// What is shared with appends under way, which may end after the reader.
class Group : public std::enable_shared_from_this<Group> {
 public:
  Group(EventStore& store, StreamId stream)
      : store_(store),
        partition_(PartitionOf(stream, store_.log().identity().partitions)),
        newest_(std::make_shared<NewestEvent>(store, std::move(stream))) {}

  absl::StatusOr<Checkpoint> Load() {
    absl::StatusOr<Checkpoint> newest = BeginningOf(store_);
    EVERFOLD_RETURN_IF_ERROR(newest_->Load([&newest](const RecordedEvent& event) {
      newest = CheckpointOf(event);
      return absl::OkStatus();
    }));
    {
      MutexLock lock(&mutex_);
      saved_.reset();
    }
    if (newest.ok()) EVERFOLD_RETURN_IF_ERROR(CheckHistory(store_, *newest));
    return newest;
  }

  void Save(Checkpoint checkpoint, SaveDone done) {
    absl::Status refused = CheckHistory(store_, checkpoint);
    bool starts = false;
    if (refused.ok()) {
      MutexLock lock(&mutex_);
      refused = newest_->CheckMayAppend();
      if (refused.ok() && !SavesNothing(checkpoint)) {
        waiting_ = std::move(checkpoint);
        waiting_done_.push_back(std::move(done));
        starts = !saving_.has_value();
        if (!starts) return;
        Begin();
      }
    }
    starts ? Append() : done(std::move(refused));
  }

 private:
  // The reader saw its own save, and nothing else.
  bool SavesNothing(const Checkpoint& checkpoint) const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    if (saving_.has_value() || !saved_.has_value()) return false;
    Checkpoint seen = *saved_;
    Offset& own = seen.offsets[partition_.value()];
    if (own.Next() == saved_at_) own = std::min(saved_at_, checkpoint.offsets[partition_.value()]);
    return checkpoint == seen;
  }

  void Begin() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    saving_ = std::move(waiting_);
    waiting_.reset();
    saving_done_ = std::move(waiting_done_);
    waiting_done_.clear();
  }

  void Append() {
    std::vector<NewEvent> events;
    {
      MutexLock lock(&mutex_);
      events.push_back(EventOf(*saving_));
    }
    newest_->Append(std::move(events),
                    [self = shared_from_this()](const absl::StatusOr<AppendResult>& result) { self->Ended(result); });
  }

  void Ended(const absl::StatusOr<AppendResult>& result) {
    std::vector<SaveDone> ended;
    bool goes_on = false;
    {
      MutexLock lock(&mutex_);
      ended = std::move(saving_done_);
      if (result.ok()) {
        saved_ = std::move(saving_);
        saved_at_ = result->streams.front().position.offset;
      } else if (absl::IsAborted(result.status())) {
        for (SaveDone& done : waiting_done_) ended.push_back(std::move(done));
        waiting_done_.clear();
        waiting_.reset();
      }
      saving_.reset();
      goes_on = waiting_.has_value();
      if (goes_on) Begin();
    }
    if (goes_on) Append();
    for (SaveDone& done : ended) done(result.status());
  }

  EventStore& store_;
  const PartitionId partition_;
  const std::shared_ptr<NewestEvent> newest_;
  Mutex mutex_;
  std::optional<Checkpoint> saved_ ABSL_GUARDED_BY(mutex_);    // by this reader, last
  Offset saved_at_ ABSL_GUARDED_BY(mutex_);                    // of that event
  std::optional<Checkpoint> saving_ ABSL_GUARDED_BY(mutex_);   // on its way
  std::vector<SaveDone> saving_done_ ABSL_GUARDED_BY(mutex_);  // who waits for it
  std::optional<Checkpoint> waiting_ ABSL_GUARDED_BY(mutex_);  // the next one
  std::vector<SaveDone> waiting_done_ ABSL_GUARDED_BY(mutex_);
};

class SharedGroupCheckpoint final : public GroupCheckpoint {
 public:
  explicit SharedGroupCheckpoint(std::shared_ptr<Group> group) : group_(std::move(group)) {}
  absl::StatusOr<Checkpoint> Load() override { return group_->Load(); }
  void Save(Checkpoint checkpoint, SaveDone done) override { group_->Save(std::move(checkpoint), std::move(done)); }

 private:
  const std::shared_ptr<Group> group_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<GroupCheckpoint>> GroupCheckpoint::Open(EventStore& store, const std::string& name) {
  EVERFOLD_RETURN_IF_ERROR(ValidateName(name, kMaxIdBytes, "name of a group"));
  return std::make_unique<SharedGroupCheckpoint>(
      std::make_shared<Group>(store, StreamId{.tenant = "", .aggregate = kGroupAggregate, .id = name}));
}

}  // namespace everfold
