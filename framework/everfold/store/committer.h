// The one writer of the log: gathers appends into groups, and keeps several groups on their way at once.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "everfold/base/mutex.h"
#include "everfold/runtime/task_scope.h"
#include "everfold/store/commit_group.h"
#include "everfold/store/durable_heads.h"
#include "everfold/store/event_store.h"

namespace everfold {

// What the committer works with. Log, executor and clock outlive the answer of every append, which Close waits for.
struct CommitterParts {
  PartitionLog& log;
  Executor& executor;
  const Clock& clock;
  std::shared_ptr<StoreIndex> index;
  std::shared_ptr<DurableHeads> durable;
};

// Threading: Append, health and Close are thread-safe; the rest runs on the log's strand. Lifetime: owned by
// shared_ptr, because its steps hold it until they have run.
class Committer final : public std::enable_shared_from_this<Committer> {
 public:
  Committer(EventStoreOptions options, const CommitterParts& parts, std::uint64_t writer_epoch);

  void Append(AppendRequest&& request, EventStore::AppendDone&& done);
  absl::Status health() const;
  void Close(Task done);

 private:
  // An append on its way to the log and back to its caller's thread, which made it and frees it: memory that one thread
  // takes and another gives back costs several times as much.
  struct Asked {
    PreparedAppend request;
    EventStore::AppendDone done;
    std::optional<TaskScope::Guard> guard;  // until it is let in there is none
    absl::Status refused;                   // why, if it was
  };
  using AskedPtr = std::unique_ptr<Asked>;
  // A group that is in the log's hands, with whom to tell.
  struct OnTheWay {
    CommitGroup group;
    std::vector<AskedPtr> asked;
    bool failed = false;
  };

  absl::Status Ask(AppendRequest&& request, Asked& asked);
  void Enqueue(AskedPtr asked);

  // On the strand.
  void Take();
  void GatherGroups();
  bool WorthAGroup() const;
  void GatherGroup();
  std::vector<AskedPtr> FillGroup();
  void SendGroup(std::vector<AskedPtr> asked);
  void OnLogged(absl::Status status);
  void OnDurable();
  void AddToIndex(const CommitGroup& group);
  void OnFailed(const absl::Status& status);
  void Recover();
  void WaitForIndex();
  void CloseForIndex(absl::Status broken);
  void RefuseWaiting();
  void SetHealth(absl::Status why);

  // Counts a request in, unless too much is waiting already.
  absl::Status Admit(const PreparedAppend& request);
  void Dismiss(const PreparedAppend& request);

  void Deliver(std::vector<AskedPtr> answered);
  static void Tell(Asked& answered);
  void Refuse(EventStore::AppendDone done, absl::Status why);

  const EventStoreOptions options_;
  const CommitterParts parts_;
  Strand& strand_;
  std::atomic<std::size_t> waiting_count_ = 0;
  std::atomic<std::size_t> waiting_bytes_ = 0;  // of encoded commits
  TaskScope scope_;                             // of appends that are not answered yet

  Mutex incoming_mutex_;
  std::vector<AskedPtr> incoming_ ABSL_GUARDED_BY(incoming_mutex_);

  // Only on the strand.
  std::deque<AskedPtr> waiting_;
  GroupBuilder builder_;
  std::deque<OnTheWay> on_the_way_;
  std::size_t last_group_commits_ = 0;
  absl::Status failure_;  // of a group on the way: those behind it fail too, and nothing is sent until all have
  bool waiting_for_index_ = false;

  mutable Mutex health_mutex_;
  absl::Status health_ ABSL_GUARDED_BY(health_mutex_);
};

}  // namespace everfold
