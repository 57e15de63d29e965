#include "everfold/projection/read_ahead.h"

#include <deque>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "everfold/base/mutex.h"
#include "everfold/base/status.h"
#include "everfold/subscription/reading_checks.h"

namespace everfold {
namespace {

constexpr std::size_t kBatches = 8;
// Waking up a thread costs as much as reading some events: neither side is woken for one batch.
constexpr std::size_t kBatchesAtOnce = kBatches / 2;

}  // namespace

// What both sides share. Threading: thread-safe.
class ReadAhead::Reader : public std::enable_shared_from_this<Reader> {
 public:
  using Batch = std::unique_ptr<EventBatch>;

  Reader(std::unique_ptr<Subscription> subscription, std::shared_ptr<const EventRoutes> routes, Post post)
      : subscription_(std::move(subscription)), routes_(std::move(routes)), post_(std::move(post)) {
    for (std::size_t i = 0; i < kBatches; ++i) free_.push_back(std::make_unique<EventBatch>());
  }

  // Also after the head was reached, this reads on.
  bool AwaitReady(Task when) {
    {
      MutexLock lock(&mutex_);
      if (!read_.empty()) return true;
      std::swap(when_ready_, when);  // the one before is dropped without the lock
      at_end_ = false;
    }
    ReadOn();
    return false;
  }

  // Null if none has been read.
  Batch Take() {
    MutexLock lock(&mutex_);
    if (read_.empty()) return nullptr;
    Batch batch = std::move(read_.front());
    read_.pop_front();
    return batch;
  }

  // It has been handed out.
  void GiveBack(Batch batch) {
    {
      MutexLock lock(&mutex_);
      free_.push_back(std::move(batch));
      if (free_.size() < kBatchesAtOnce) return;
    }
    ReadOn();
  }

  void Stop() {
    Task dropped;
    MutexLock lock(&mutex_);
    stopped_ = true;
    dropped = std::move(when_ready_);
  }

 private:
  bool MayRead() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !stopped_ && !at_end_ && !free_.empty(); }

  void ReadOn() {
    {
      MutexLock lock(&mutex_);
      if (reads_ || !MayRead()) return;
      reads_ = true;
    }
    PostStep();
  }

  // Threading: whoever has set `reads_`.
  void PostStep() {
    if (!post_([self = shared_from_this()] { self->ReadSome(); })) Stop();
  }

  // What fills no batch was read past, which took as long.
  void ReadSome() {
    for (std::size_t i = 0; i < kBatches; ++i) {
      Batch batch = TakeFree();
      if (batch == nullptr) return;
      batch->Fill(*subscription_, *routes_);
      const bool goes_on = batch->is_full();
      Add(std::move(batch));
      if (!goes_on) break;
    }
    PostStep();
  }

  Batch TakeFree() {
    MutexLock lock(&mutex_);
    reads_ = MayRead();
    if (!reads_) return nullptr;
    Batch batch = std::move(free_.back());
    free_.pop_back();
    return batch;
  }

  void Add(Batch batch) {
    Task ready;
    {
      MutexLock lock(&mutex_);
      if (batch->caught_up() || !batch->status().ok()) at_end_ = true;
      read_.push_back(std::move(batch));
      if (read_.size() >= kBatchesAtOnce || !MayRead()) ready = std::exchange(when_ready_, nullptr);
    }
    if (ready != nullptr) ready();
  }

  const std::unique_ptr<Subscription> subscription_;
  const std::shared_ptr<const EventRoutes> routes_;
  Post post_;
  Mutex mutex_;
  std::vector<Batch> free_ ABSL_GUARDED_BY(mutex_);
  std::deque<Batch> read_ ABSL_GUARDED_BY(mutex_);
  bool reads_ ABSL_GUARDED_BY(mutex_) = false;   // a step does, or is posted
  bool at_end_ ABSL_GUARDED_BY(mutex_) = false;  // of what there was
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  Task when_ready_ ABSL_GUARDED_BY(mutex_);
};

ReadAhead::ReadAhead(std::unique_ptr<Subscription> subscription, std::shared_ptr<const EventRoutes> routes, Post post)
    : checkpoint_(subscription->checkpoint()),
      reader_(std::make_shared<Reader>(std::move(subscription), std::move(routes), std::move(post))) {}

ReadAhead::~ReadAhead() { reader_->Stop(); }

bool ReadAhead::AwaitReady(Task when) { return batch_ != nullptr || reader_->AwaitReady(std::move(when)); }

absl::StatusOr<PullResult> ReadAhead::Pull(std::size_t max_events, Visit visit) {
  EVERFOLD_RETURN_IF_ERROR(CheckPull(max_events));
  PullResult result;
  while (!result.caught_up) {
    if (batch_ == nullptr) batch_ = reader_->Take();
    if (batch_ == nullptr) break;
    EVERFOLD_RETURN_IF_ERROR(HandOut(max_events, visit, result));
    if (next_ < batch_->size()) break;
    EVERFOLD_RETURN_IF_ERROR(batch_->status());
    result.moved = result.moved || checkpoint_ != batch_->checkpoint();
    result.caught_up = batch_->caught_up();
    checkpoint_ = batch_->checkpoint();
    next_ = 0;
    reader_->GiveBack(std::move(batch_));
  }
  return result;
}

absl::Status ReadAhead::HandOut(std::size_t max_events, Visit visit, PullResult& result) {
  for (; next_ < batch_->size() && result.events < max_events; ++next_) {
    EVERFOLD_RETURN_IF_ERROR(visit(batch_->event(next_)));
    const Position& position = batch_->position(next_);
    checkpoint_.offsets[position.partition.value()] = position.offset;
    ++result.events;
    result.moved = true;
  }
  return absl::OkStatus();
}

}  // namespace everfold
