// The index as it is: what is new in memory, in up to two generations, and everything before in files.
//
//   Add, CompleteGroup -> filling generation -> (above the limit) older one -> files
//
// A lookup asks memory, then the files. A generation leaves memory only after it is in the files, so that a lookup in
// this order misses nothing; at most it meets an entry twice.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "everfold/base/mutex.h"
#include "everfold/store/index/command_digest.h"
#include "everfold/store/index/command_filter.h"
#include "everfold/store/index/command_retention.h"
#include "everfold/store/index/idle_merging.h"
#include "everfold/store/index/index_checkpoint.h"
#include "everfold/store/index/index_memory.h"
#include "everfold/store/index/index_opening.h"
#include "everfold/store/index/written_group.h"
#include "everfold/store/store_index.h"

namespace everfold {

// Threading and Lifetime: as StoreIndex.
class TieredIndex final : public StoreIndex {
 public:
  // `opened` without a database: everything stays in memory.
  TieredIndex(const StoreIndexOptions& options, const LogIdentity& log, OpenedIndex opened, Strand& disk);
  // Waits for a write that is under way; one that has not begun is left out.
  ~TieredIndex() override;

  // The lock is for those who write files; to read, the adding thread needs none.
  const LogTail& tail() const override ABSL_NO_THREAD_SAFETY_ANALYSIS { return reached_.tail; }
  const TypeDictionary& types() const override { return *types_; }

  using StoreIndex::VersionOf;
  absl::StatusOr<Version> VersionOf(const EntryName& name) const override;
  void PrefetchVersions(absl::Span<const EntryName* const> streams) const override;
  absl::StatusOr<std::vector<StreamPlace>> PlacesAfter(const StreamId& stream, Version after,
                                                       std::size_t limit) const override;
  absl::StatusOr<std::vector<CommitPlace>> FindCommand(const CommandKey& command) const override;
  absl::Time CommandsSince() const override;
  absl::StatusOr<std::vector<TaggedEvent>> TaggedAfter(std::string_view tenant, std::string_view tag, Sequence after,
                                                       std::size_t limit) const override;

  absl::StatusOr<std::optional<TaggedEvent>> LatestOf(std::string_view tenant, std::string_view type) const override;

  absl::StatusOr<EntryCounts> CountEntries(const LogTail& upto) const override;

  absl::Status Add(std::string_view chunk) override;
  void CompleteGroup(Sequence last, absl::Time recorded_at) override;
  absl::Status AddGroup(absl::Span<const std::string_view> chunks, Sequence last, absl::Time recorded_at) override;
  void AddWritten(const WrittenGroup& group) override;
  void ExpectRecordedUntil(absl::Time time) override;

  bool full() const override;
  void WhenRoom(Task resume) override;
  absl::Status health() const override;
  void Close(Task done) override;

 private:
  // What tasks on the disk strand have of the index: they may come later than its end.
  struct Reach {
    Mutex mutex;
    TieredIndex* index ABSL_GUARDED_BY(mutex);  // nullptr when it is gone
  };

  absl::Status Take(std::string_view chunk) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ReachTo(Sequence last, absl::Time recorded_at) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TakeStreams(const std::vector<WrittenStream>& streams) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TakeCommands(const std::vector<WrittenCommand>& commands) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Day FirstCommandDay() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return std::max(reached_.commands_since, retention_.FirstDay(reached_.tail.last_recorded_at));
  }
  bool IsFull() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  // True if a generation is to be written now: then PostWrite.
  bool Rotate() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool RotateIfLarge() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PostWrite();
  void TellAdded() {
    if (idle_merging_ != nullptr) idle_merging_->Added();
  }
  // On the disk strand.
  void WriteOlder();
  void WriteAll();
  using Step = std::string (TieredIndex::*)(const std::string& from);
  void PostSteps(Step step, std::string from);
  std::string FillFilter(const std::string& from);
  std::string FillStreamHeads(const std::string& from) { return FillHeads(EntryKind::kStreams, from); }
  std::string FillTagHeads(const std::string& from) { return FillHeads(EntryKind::kTags, from); }
  std::string FillHeads(EntryKind kind, const std::string& from);
  void EndWrite(const absl::Status& status);

  const std::size_t max_memory_bytes_;
  const std::string identity_;
  const CommandDigester digester_;
  const CommandRetention retention_;
  Strand& disk_;
  const std::unique_ptr<DirectoryLock> lock_;
  const std::unique_ptr<IndexDatabase> database_;  // nullptr: everything stays in memory
  const std::unique_ptr<TypeDictionary> types_;
  const std::unique_ptr<IdleMerging> idle_merging_;  // nullptr: nothing is merged in idle time

  mutable Mutex mutex_;
  mutable IndexMemory memory_ ABSL_GUARDED_BY(mutex_);  // lookups leave there what the files told
  CommandFilter filter_ ABSL_GUARDED_BY(mutex_);
  IndexCheckpoint reached_ ABSL_GUARDED_BY(mutex_);
  IndexCheckpoint older_reached_ ABSL_GUARDED_BY(mutex_);  // by the older generation
  Sequence in_files_ ABSL_GUARDED_BY(mutex_);              // up to here all is there, and all above it in memory
  std::shared_ptr<const std::vector<Day>> days_ ABSL_GUARDED_BY(mutex_);  // in the files
  bool in_group_ ABSL_GUARDED_BY(mutex_) = false;  // some chunks of a group are there, others perhaps not
  absl::Status health_ ABSL_GUARDED_BY(mutex_);
  std::vector<Task> waiting_ ABSL_GUARDED_BY(mutex_);  // for room

  const std::shared_ptr<Reach> reach_;
};

}  // namespace everfold
