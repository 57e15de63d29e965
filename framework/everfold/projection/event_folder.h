// Folds a log's events into one file of read models, batch by batch, from where the file stands.
//
// An event that cannot be handled is parked with its key, and so is every later event of the key; others go on. The
// transaction with such an event is taken back and folded again up to it, and from there each event of a batch in a
// part of the transaction that can be taken back by itself. Where only the commit fails, what was taken back is folded
// again with a commit for each batch, and the batch that fails in parts. What the file itself fails at (a full disk, an
// I/O error) is no event's fault: the batch is taken back, the error is the result, and the same events come again.
//
// Always: what the log has for this projection up to the checkpoint = applied + parked + dropped, in number and digest.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/projection/dropped_events.h"
#include "everfold/projection/event_feed.h"
#include "everfold/projection/event_handling.h"
#include "everfold/projection/event_source.h"
#include "everfold/projection/read_ahead.h"
#include "everfold/projection/read_model_file.h"
#include "everfold/runtime/executor.h"
#include "everfold/subscription/subscription.h"

namespace everfold {

// Beyond these a projection stops instead of parking one more key: something is wrong with more than an event.
inline constexpr std::size_t kMaxParkedKeys = 100;
// Likewise, where so many keys hold more than one of a hundred of all events.
inline constexpr std::size_t kMinKeysOfShare = 10;
inline constexpr std::uint64_t kMaxParkedPercent = 1;

// Threading: one thread at a time. Lifetime: feed and type outlive it.
class EventFolder {
 public:
  // REQUIRES: the file fits.
  //   OTHER_HISTORY, DATA_LOSS  as Subscription::Start for the file's checkpoint
  static absl::StatusOr<std::unique_ptr<EventFolder>> Open(std::unique_ptr<ReadModelFile> file,
                                                           const ProjectionType& type, const EventFeed& feed);

  // Up to so many events. After an error nothing has changed since the last commit:
  //   RESOURCE_EXHAUSTED, INTERNAL  the file could not be written; worth another try
  //   FAILED_PRECONDITION           too many keys are parked (READ_MODEL_STOPPED)
  //   DATA_LOSS                     the file, or the log, is damaged
  absl::StatusOr<PullResult> FoldBatch(std::size_t max_events);
  // The same for a file that is far behind: with as many rows in memory as a build has. While it `holds`, it commits
  // only now and then, as FoldOn.
  absl::StatusOr<PullResult> FoldFarBatch(std::size_t max_events, bool holds);
  // The same as FoldBatch, but commits only now and then: when there is nothing left to fold, or as much as one
  // transaction should hold; and partition by partition, where the type permits that order. For a file that nobody
  // queries yet.
  absl::StatusOr<PullResult> FoldOn(std::size_t max_events);

  // Who sees the rows while they are folded. For queries all events are merged by sequence.
  enum class Audience { kNobody, kQueries };
  // From now on FoldAhead has its events read ahead by steps that are posted with `post`, which is as ReadAhead::Post.
  // REQUIRES: the feed is thread-safe, and outlives those steps.
  void ReadAheadBy(std::function<bool(Task)> post) { post_ = std::move(post); }
  // As FoldOn, of what has been read: it may be no event, and not caught up. If it `holds` nothing, it commits. For a
  // file that is far behind. REQUIRES, here and below: ReadAheadBy.
  absl::StatusOr<PullResult> FoldAhead(Audience audience, std::size_t max_events, bool holds = true);
  // True if there is something for FoldAhead. If not, `when` is called once there is, as that of ReadAhead::AwaitReady.
  absl::StatusOr<bool> AwaitReadAhead(Audience audience, Task when);
  // Whether they hold something. After CommitHeld nothing is held: it is committed, or taken back because one of its
  // events fails, and comes again.
  bool holds() const { return in_transaction_; }
  absl::Status CommitHeld();

  // Up to an end that the log has, and not beyond it in any partition. REQUIRES: the feed is of this process, and the
  // checkpoint is not past the end.
  absl::Status FoldTo(const Checkpoint& end, std::size_t max_batch_events);

  // Handles the events of a parked key again, in their order, until one fails. The result is the number of those that
  // still wait; 0: the key is not parked any more. NOT_FOUND if it is not parked.
  absl::StatusOr<std::uint64_t> Retry(const std::string& key);
  // Leaves the event out: now, if it is parked, and then retries those that have waited behind it; or when it comes.
  absl::Status Drop(const EventName& event);
  // As ReadModelFile::MakeIndexes, of what was folded so far.
  absl::StatusOr<bool> MakeIndexes(const std::function<bool()>& stop);
  // What was committed is on the disk for good: a loss of power takes back none of it.
  absl::Status MakeDurable();

  const std::string& path() const { return file_->path(); }
  const Checkpoint& checkpoint() const { return file_->checkpoint(); }
  // As far as it has come, whether that is committed or not.
  const Checkpoint& position() const;
  const std::vector<PartitionTally>& tallies() const { return file_->tallies(); }
  const absl::flat_hash_set<std::string>& parked_keys() const { return keys_; }
  // Those that it leaves out, or would.
  const DroppedEvents& dropped() const { return dropped_; }
  absl::StatusOr<std::vector<ParkedKey>> DescribeParked() { return file_->parked().Keys(); }
  // nullopt if it is not parked.
  absl::StatusOr<std::optional<ParkedKey>> DescribeParked(const std::string& key) {
    return file_->parked().FindKey(key);
  }
  absl::StatusOr<std::vector<ParkedEvent>> ParkedEventsOf(const std::string& key, std::size_t limit) {
    return file_->parked().EventsOf(key, limit);
  }
  // When the last event that was folded and committed was recorded.
  absl::Time folded_upto() const { return folded_upto_; }

 private:
  EventFolder(std::unique_ptr<ReadModelFile> file, const ProjectionType& type, const EventFeed& feed);

  absl::Status ApplyDrops();
  // How events come.
  struct Reading {
    bool in_turns = false;  // partition by partition
    bool ahead = false;
    friend bool operator==(const Reading&, const Reading&) = default;
  };
  Reading ReadingFor(Audience audience, bool ahead) const;
  absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(const Reading& reading) const;
  absl::Status Take(const Reading& reading);
  struct Manner {
    bool holds = false;  // a transaction open, from batch to batch
    Reading reading = {};
    std::size_t max_cached_bytes = 0;
  };
  absl::StatusOr<PullResult> Fold(std::size_t max_events, const Manner& manner);
  void FoldOtherwise(std::uint64_t held, std::size_t max_events);
  absl::StatusOr<PullResult> FoldOnce(std::size_t max_events, const Manner& manner);
  absl::StatusOr<PullResult> Pull(std::size_t max_events);
  absl::Status Begin(std::size_t max_cached_bytes);  // of rows; 0: each change is written at once
  absl::Status Commit(const Checkpoint& checkpoint);
  void TakeBack();
  absl::Status FoldEvent(const PreparedEvent& prepared);
  absl::Status FoldWhole(const PreparedEvent& prepared);
  absl::Status FoldInPart(const PreparedEvent& prepared);
  absl::Status Park(const PreparedEvent& prepared, const absl::Status& error);
  absl::Status CheckRoom(const std::string& key, const absl::Status& error) const;
  absl::Status RetrySome(const std::string& key, bool& go_on);
  absl::Status RetryOne(const ParkedEvent& parked, absl::Status& handled);
  absl::Status Settle(const ParkedEvent& parked, EventTally PartitionTally::*as);
  absl::Status DropParked(const ParkedEvent& parked);
  absl::Status ReadAt(const Position& position, Subscription::Visit visit) const;
  PartitionTally& TallyAt(const Position& position) { return tallies_[position.partition.value()]; }
  // Of an error that HandleEvent gave.
  bool IsOfTheEvent(const absl::Status& error);

  const std::unique_ptr<ReadModelFile> file_;
  const ProjectionType& type_;
  const EventFeed& feed_;
  const std::shared_ptr<const EventRoutes> routes_;
  DroppedEvents dropped_;
  std::function<bool(Task)> post_;
  std::unique_ptr<EventSource> events_;             // null when it is not where the file is
  ReadAhead* read_ahead_ = nullptr;                 // it, if it is one
  Reading reading_;                                 // it is
  Checkpoint end_;                                  // where it ends; without offsets: nowhere
  absl::flat_hash_set<std::string> keys_;           // that are parked
  absl::Time folded_upto_ = absl::InfinitePast();   // and committed
  absl::Time folding_upto_ = absl::InfinitePast();  // with what is not

  // Of the batch under way.
  bool in_transaction_ = false;  // that is held open
  std::uint64_t events_in_transaction_ = 0;
  std::uint64_t events_in_parts_ = 0;    // that are to be folded each in a part of its own
  std::uint64_t events_in_batches_ = 0;  // that are to be committed with each batch
  bool in_parts_ = false;
  bool event_failed_ = false;
  std::optional<Position> failed_at_;  // in its handler
  // From here on events are to be folded in parts; what comes before is committed first.
  std::optional<Position> whole_before_;
  bool met_it_ = false;  // in this pull
  std::size_t pulled_ = 0;
  std::vector<PartitionTally> tallies_;
  std::vector<std::string> new_keys_;
};

}  // namespace everfold
