// The one writer of the log: gathers appends into groups, and makes one group durable at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "everfold/base/mutex.h"
#include "everfold/runtime/task_scope.h"
#include "everfold/store/commit_group.h"
#include "everfold/store/durable_heads.h"
#include "everfold/store/event_store.h"
#include "everfold/store/log_recovery.h"

namespace everfold {

// Threading: Append, health and Close are thread-safe; the rest runs on the committer's strand. Lifetime: owned by
// shared_ptr, because its steps hold it until they have run; log, executor and clock must outlive the answer of every
// append, which Close waits for.
class Committer final : public std::enable_shared_from_this<Committer> {
 public:
  Committer(EventStoreOptions options, PartitionLog& log, Executor& executor, const Clock& clock,
            std::uint64_t writer_epoch, std::shared_ptr<StoreIndex> index, std::shared_ptr<DurableHeads> durable,
            const LogTail& tail);

  void Append(AppendRequest request, EventStore::AppendDone done);
  absl::Status health() const;
  void Close(Task done);

 private:
  using Outcome = absl::StatusOr<AppendResult>;
  struct Caller {
    EventStore::AppendDone done;
    TaskScope::Guard guard;
  };
  struct Waiting {
    AppendRequest request;
    Caller caller;
  };
  struct Answer {
    Caller caller;
    Outcome outcome;
  };

  // On the strand.
  void Enqueue(Waiting waiting);
  void GatherGroup();
  std::vector<Answer> FillGroup(CommitGroup& group);
  void OnLogged(const std::shared_ptr<CommitGroup>& group, std::vector<Answer> answers, absl::Status status);
  void Publish(const CommitGroup& group);
  void Fail(std::vector<Answer>& answers, const absl::Status& status);
  void RefuseWaiting();
  absl::Time NextRecordedAt(const AppendRequest& request);

  // Counts a request in, unless too much is waiting already.
  absl::Status Admit(const AppendRequest& request);
  void Dismiss(const AppendRequest& request);

  void Deliver(std::vector<Answer> answers);
  void Refuse(EventStore::AppendDone done, absl::Status why);

  const EventStoreOptions options_;
  PartitionLog& log_;
  Executor& executor_;
  const Clock& clock_;
  const std::uint64_t writer_epoch_;
  const std::shared_ptr<StoreIndex> index_;
  const std::shared_ptr<DurableHeads> durable_;
  const std::unique_ptr<Strand> strand_;
  std::atomic<std::size_t> waiting_count_ = 0;
  std::atomic<std::size_t> waiting_bytes_ = 0;  // of payloads
  TaskScope scope_;                             // of appends that are not answered yet

  // Only on the strand.
  std::deque<Waiting> waiting_;
  LogTail tail_;  // durable
  bool group_in_flight_ = false;

  mutable Mutex mutex_;
  absl::Status health_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace everfold
