// One version of a projection's read models, an SQLite file of format version 3.
//
//   everfold_meta        one row: format_version, epoch of the store, number of partitions, projection revision,
//                        tables (DescribeTables)
//   everfold_checkpoint  partition -> offset of the last event that is applied, parked or dropped, and the tallies of
//                        the three (EventTally); no row is 0
//   everfold_parked_*    what could not be taken in (parked_events.h)
//   one STRICT table for each read model, as CreateTableSql makes it
//
// journal_mode=WAL, so that queries read while a transaction is written. synchronous=NORMAL: after a loss of power the
// last transactions may be missing, each with its rows and its checkpoint, and the log has their events.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/event_tally.h"
#include "everfold/event/position.h"
#include "everfold/projection/parked_events.h"
#include "everfold/projection/projection_type.h"
#include "everfold/projection/row_store.h"
#include "everfold/projection/snapshot_gate.h"
#include "everfold/projection/sqlite.h"
#include "everfold/projection/sqlite_row_store.h"

namespace everfold {

inline constexpr int kReadModelFileVersion = 3;

// What became of a partition's events. Together they are all that the projection handles, up to the checkpoint.
struct PartitionTally {
  EventTally applied, parked, dropped;
  EventTally All() const { return applied + parked + dropped; }
  friend bool operator==(const PartitionTally&, const PartitionTally&) = default;
};

// Threading: one thread at a time. Lifetime: `type` outlives it.
class ReadModelFile {
 public:
  // How the file goes with a projection's code.
  enum class Fit {
    kCurrent,     // it was built by it, or by code that would have built the same
    kReadable,    // other code has built its rows: they can be queried (ShowAsOf), and its checkpoint is known
    kUnreadable,  // its tables are others, or it is of an older format
  };

  // When indexes that the code declares and the file lacks are made. Not the unique ones: those are rules that rows
  // keep from the first one on.
  enum class Indexes {
    kAtOnce,
    // By MakeIndexes, or as soon as a handler runs SQL, which may need them: until then no row has to be sorted into
    // them by itself. For a version that nobody queries yet.
    kWhenComplete,
  };

  // Opens the file, or creates it. One that is not current is left as it is, and nothing can be folded into it. One
  // that is loses the indexes that the code does not declare.
  //   FAILED_PRECONDITION  of another history than `beginning` (OTHER_HISTORY); of a newer format; of other software
  //   DATA_LOSS            damaged (READ_MODEL_DAMAGED)
  static absl::StatusOr<std::unique_ptr<ReadModelFile>> Open(std::string path, const ProjectionType& type,
                                                             const Checkpoint& beginning,
                                                             Indexes indexes = Indexes::kAtOnce);

  // How a file that is there goes with the code, also while others write to it. Changes nothing. Errors as of Open.
  static absl::StatusOr<Fit> FitOf(const std::string& path, const ProjectionType& type, const Checkpoint& beginning);

  const std::string& path() const { return path_; }
  Fit fit() const { return fit_; }
  bool created() const { return created_; }  // by this opening
  // Commits from now on are told there, which outlives the file.
  void TellCommits(SnapshotGate& gate) { gate_ = &gate; }
  // As of the last Commit.
  const Checkpoint& checkpoint() const { return checkpoint_; }
  const std::vector<PartitionTally>& tallies() const { return tallies_; }  // one for each partition

  ParkedEvents& parked() { return *parked_; }

  // The rest REQUIRES that it fits.

  absl::Status Begin();
  // Of the transaction that has begun.
  RowStore& rows() { return *rows_; }
  // A part of the transaction that can be taken back by itself; one at a time.
  absl::Status BeginPart();
  absl::Status EndPart();
  // Forgets the error of the rows, too.
  absl::Status TakeBackPart();
  // Rows are kept in memory until the end of the transaction, and between transactions as long as they take no more
  // than `max_bytes`. For transactions without parts; call it between transactions. Off at first.
  void CacheRows(std::size_t max_bytes);
  // Of rows that are kept in memory, and of those among them that are not written yet.
  std::size_t cached_bytes() const { return rows_->cached().bytes(); }
  std::size_t unwritten_bytes() const { return rows_->cached().changed_bytes(); }
  // By the transaction under way.
  std::uint64_t written_rows() const { return static_cast<std::uint64_t>(database_->changes() - changes_before_); }
  // Rows, parked events, checkpoint and tallies, or none of them: after an error Rollback is the only thing to do.
  absl::Status Commit(const Checkpoint& checkpoint, const std::vector<PartitionTally>& tallies);
  void Rollback();
  // As Rollback, where nothing was changed.
  void EndUnchanged();
  // Those that it lacks; true if it has lacked any. Each by itself: after an error, or a crash, those that were made
  // are there. Ends with DEADLINE_EXCEEDED soon after `stop` has become true. REQUIRES: no transaction has begun.
  //   RESOURCE_EXHAUSTED, INTERNAL  with the name of the index that could not be made, and the cause
  absl::StatusOr<bool> MakeIndexes(const std::function<bool()>& stop);
  // What was committed is on the disk for good.
  absl::Status MakeDurable();

 private:
  ReadModelFile(std::string path, const ProjectionType& type, Checkpoint beginning)
      : path_(std::move(path)), type_(type), checkpoint_(std::move(beginning)), tallies_(checkpoint_.offsets.size()) {}

  absl::Status OpenDatabase(Indexes indexes);
  absl::Status InspectOnly();
  absl::Status Inspect(const std::vector<std::string>& tables);
  absl::Status CheckHistory(const Epoch& epoch, std::uint32_t partitions) const;
  absl::Status CreateTables();
  absl::Status MatchIndexes(Indexes indexes);
  absl::Status CreateLackingIndexes();
  void AwaitSql();
  void LoseIndexes();
  absl::Status WriteMeta();
  absl::Status LoadCheckpoint();
  absl::Status RunCommit();
  absl::Status PrepareStatements();
  absl::Status WritePartition(std::size_t partition, Offset offset, const PartitionTally& tally);

  const std::string path_;
  const ProjectionType& type_;
  Fit fit_ = Fit::kCurrent;
  bool created_ = false;
  SnapshotGate* gate_ = nullptr;
  Checkpoint checkpoint_;
  std::vector<PartitionTally> tallies_;
  std::unique_ptr<sqlite::Database> database_;
  std::unique_ptr<SqliteRowStore> rows_;
  std::size_t max_cached_bytes_ = 0;
  std::int64_t changes_before_ = 0;   // the transaction under way
  bool lacks_indexes_ = false;        // or may
  bool made_in_transaction_ = false;  // the indexes, by the one under way
  std::unique_ptr<ParkedEvents> parked_;
  std::unique_ptr<sqlite::Statement> begin_, commit_, write_partition_, begin_part_, end_part_, take_back_part_;
};

}  // namespace everfold
