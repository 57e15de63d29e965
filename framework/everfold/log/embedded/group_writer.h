// The embedded log at work: from appends to groups in the journal, to the durable tail, to sealed files.
//
// Four strands, each with one kind of waiting: the writer admits groups and writes them to the journal; the syncer
// waits for the disk; the sealer writes to RocksDB; the keeper writes high-water marks and makes files of the journal.
// All decisions are steps of the writer, so there is nothing to lock but what readers see.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "everfold/base/mutex.h"
#include "everfold/log/append_rules.h"
#include "everfold/log/embedded/embedded_log.h"
#include "everfold/log/embedded/store_parts.h"

namespace everfold {

struct LogStrands {
  std::unique_ptr<Strand> writer;
  std::unique_ptr<Strand> syncer;
  std::unique_ptr<Strand> sealer;
  std::unique_ptr<Strand> keeper;
};

// Threading: Append and Close from one thread at a time; Stop on the writer's strand, or while no step runs.
// Lifetime: owned by shared_ptr, because its steps hold it; the strands outlive its steps.
class GroupWriter final : public std::enable_shared_from_this<GroupWriter> {
 public:
  // `writer_epoch`: a random number of this opening.
  GroupWriter(EmbeddedLogOptions options, Files& files, Executor& executor, LogStrands& strands, StoreParts parts,
              std::uint64_t writer_epoch);

  void Append(std::vector<ChunkAppend> group, PartitionLog::Done done);
  // UNAVAILABLE (STORE_CLOSED) after Close.
  void SealAll(PartitionLog::Done done);
  void Watch(PartitionLog::Hint hint) { hints_.push_back(std::move(hint)); }
  void Close(PartitionLog::Done done);
  // From now on its steps do nothing, and no timer's task touches a strand any more.
  void Stop();

  const StoreParts& parts() const { return parts_; }

 private:
  // An append on its way. Without a group number it was refused, for `outcome`.
  struct Pending {
    std::vector<ChunkAppend> group;
    PartitionLog::Done done;
    GroupLink link;
    std::shared_ptr<File> file;  // that holds its record
    std::size_t bytes = 0;       // of the record
    absl::Status outcome;
  };
  struct Seal {
    SealedCheckpoint upto;
    std::vector<std::vector<TailChunkPtr>> chunks;
    std::uint64_t bytes = 0;
  };

  // By which tasks of timers find the writer: such a task may run while the log is destroyed, and must neither post to
  // strands that are gone nor keep the store open.
  struct ForTimers {
    Mutex mutex;
    GroupWriter* writer ABSL_GUARDED_BY(mutex);  // null once stopped
  };

  struct SealWaiter {
    GroupNumber group = 0;  // that is to be sealed
    PartitionLog::Done done;
  };

  enum class State { kOpen, kClosed, kStopped };

  // Steps of the writer.
  void Take();
  void WriteQueued();
  absl::Status Admit(const Pending& pending) const;
  absl::Status Write(Pending& pending);
  std::uint64_t FreeBytes() const;
  absl::Status BelowReserve() const;
  absl::Status NoRoom() const;
  void Refuse(Pending& pending, const absl::Status& why);
  void MaybeSync();
  void OnSynced(GroupLink last, absl::Status status);
  void Publish(const GroupLink& last);
  void TellSettled();
  void Tell(Pending pending);
  void FailAll(const absl::Status& cause);

  void MakeRoom();
  void MaybeMakeFile();
  void OnFileMade(absl::StatusOr<JournalFile> file);
  void MaybeSeal(bool all);
  Seal TakeSeal() const;
  void PostponeSeal(std::uint64_t needed);
  void OnSealed(const SealedCheckpoint& upto, absl::Status status);
  void BeginSealAll(PartitionLog::Done done);
  void TellSealWaiters(const absl::Status& status);
  void MergeAfter(absl::Duration delay);
  void MergeInIdleTime();
  void MergeUnderLoad();
  // `go_on`: what comes after it if there may be more.
  void Merge(SealedChunks::MergeLimits limits, void (GroupWriter::*go_on)());
  void OnMerged(const absl::StatusOr<bool>& merged, void (GroupWriter::*go_on)());
  void MaybeMark();
  void Mark();
  void OnMarked(absl::Status status);
  void MaybeClose();

  // Posts a step that does nothing once the log is closed or stopped.
  template <class Step>
  void PostTo(Strand& strand, Step step);
  template <class Step>
  std::unique_ptr<Timer> PostAfter(absl::Duration delay, std::unique_ptr<Strand> LogStrands::*strand, Step step);

  const EmbeddedLogOptions options_;
  Files& files_;
  Executor& executor_;
  LogStrands& strands_;
  StoreParts parts_;
  const std::uint64_t writer_epoch_;
  std::atomic<State> state_ = State::kOpen;
  const std::shared_ptr<ForTimers> for_timers_ = std::make_shared<ForTimers>();
  OutstandingAppends outstanding_;
  std::vector<PartitionLog::Hint> hints_;  // the writer's from the first append on

  Mutex waiting_mutex_;
  std::vector<Pending> waiting_ ABSL_GUARDED_BY(waiting_mutex_);

  // The writer's.
  Journal journal_;
  std::vector<PartitionHead> heads_;  // written
  GroupLink written_;
  GroupLink durable_;
  GroupLink marked_;
  std::deque<Pending> queue_;      // not written
  std::deque<Pending> in_flight_;  // written and not durable, or refused; in order
  const JournalKey journal_key_;
  std::string record_;  // scratch
  bool syncing_ = false;
  bool sealing_ = false;
  bool merging_ = false;
  bool making_file_ = false;
  bool marking_ = false;           // from the wish to the durable mark
  std::uint64_t no_room_for_ = 0;  // bytes of a seal or a file of the journal; 0: there is room
  bool failed_ = false;            // the outcome of something is unknown: nothing is written any more
  std::unique_ptr<Timer> mark_timer_;
  std::unique_ptr<Timer> retry_timer_;  // of sealing, after there was no room for it
  std::unique_ptr<Timer> merge_timer_;
  absl::Status found_in_merge_;  // a damaged file: this log merges no more
  std::vector<SealWaiter> seal_waiters_;
  PartitionLog::Done closing_;
};

}  // namespace everfold
