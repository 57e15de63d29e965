// A projection's SQLite file: <directory>/<name>/<revision>.db, format version 1.
//
//   everfold_meta        one row: format_version, epoch of the store, number of partitions, projection revision,
//                        schema_fingerprint (FingerprintOfTables)
//   everfold_checkpoint  partition -> offset of the last event that the rows contain; 0 where there is no row
//   one STRICT table for each read model, as CreateTableSql makes it
//
// journal_mode=WAL, so that queries read while a transaction is written. synchronous=NORMAL: after a loss of power the
// last transactions may be missing, each with its rows and its checkpoint, and the log has their events.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/position.h"
#include "everfold/projection/projection_type.h"
#include "everfold/projection/row_store.h"
#include "everfold/projection/sqlite.h"
#include "everfold/projection/sqlite_row_store.h"

namespace everfold {

inline constexpr int kReadModelFileVersion = 1;

// Threading: one thread at a time. Lifetime: `type` outlives it.
class ReadModelFile {
 public:
  // Called when the file's rows are dropped because they are of other code.
  using Rebuilding = std::function<void(const std::string& why)>;

  // Opens or creates the file. Read models that are not those of the file, or another revision in it, are built anew:
  // their tables and the checkpoint are dropped in one transaction.
  //   FAILED_PRECONDITION  of another history than `beginning` (OTHER_HISTORY); of a newer everfold; of other software
  //   DATA_LOSS            damaged
  static absl::StatusOr<std::unique_ptr<ReadModelFile>> Open(const std::string& directory, const ProjectionType& type,
                                                             const Checkpoint& beginning, Rebuilding rebuilding);

  const std::string& path() const { return path_; }
  // As of the last Commit.
  const Checkpoint& checkpoint() const { return checkpoint_; }

  absl::Status Begin();
  // Of the transaction that has begun.
  RowStore& rows() { return *rows_; }
  // Rows and checkpoint, or neither: after an error Rollback is the only thing to do.
  absl::Status Commit(const Checkpoint& checkpoint);
  void Rollback();

 private:
  enum class Contents { kNone, kCurrent, kOutdated };

  ReadModelFile(std::string path, const ProjectionType& type, Checkpoint beginning)
      : path_(std::move(path)), type_(type), checkpoint_(std::move(beginning)) {}

  absl::Status OpenDatabase(const Rebuilding& rebuilding);
  absl::StatusOr<Contents> Inspect(const Rebuilding& rebuilding);
  absl::StatusOr<Contents> InspectMeta(const Rebuilding& rebuilding);
  absl::Status CheckHistory(const Epoch& epoch, std::uint32_t partitions) const;
  absl::Status CreateTables();
  absl::Status DropTables();
  absl::Status WriteMeta();
  absl::Status LoadCheckpoint();
  absl::Status PrepareStatements();
  absl::Status InTransaction(absl::Status (ReadModelFile::*change)());
  absl::Status WriteCheckpoint(const Checkpoint& checkpoint);

  std::string path_;
  const ProjectionType& type_;
  Checkpoint checkpoint_;
  std::unique_ptr<sqlite::Database> database_;
  std::unique_ptr<SqliteRowStore> rows_;
  std::unique_ptr<sqlite::Statement> begin_, commit_, write_offset_;
};

}  // namespace everfold
