#include "everfold/projection/read_model_file.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/error_message.h"
#include "everfold/base/status.h"
#include "everfold/projection/read_model_sql.h"
#include "everfold/projection/table_description.h"

namespace everfold {
namespace {

constexpr char kFrameworkTables[] =
    "CREATE TABLE everfold_meta (id INTEGER PRIMARY KEY CHECK (id = 1), format_version INTEGER NOT NULL,"
    " epoch BLOB NOT NULL, partitions INTEGER NOT NULL, revision INTEGER NOT NULL,"
    " tables TEXT NOT NULL) STRICT;"
    "CREATE TABLE everfold_checkpoint (\"partition\" INTEGER PRIMARY KEY, \"offset\" INTEGER NOT NULL,"
    " applied_count INTEGER NOT NULL, applied_low INTEGER NOT NULL, applied_high INTEGER NOT NULL,"
    " parked_count INTEGER NOT NULL, parked_low INTEGER NOT NULL, parked_high INTEGER NOT NULL,"
    " dropped_count INTEGER NOT NULL, dropped_low INTEGER NOT NULL, dropped_high INTEGER NOT NULL) STRICT;";

// The larger the cache is, the fewer pages of a long transaction go to the file twice. The longer the WAL may become
// (64 MB), the fewer of the syncs that hold up everybody who uses the disk, and the more often a page has changed by
// then. What a long transaction has made of it is cut back to four times as much: to 64 MB, it would be cut and grow
// again after each checkpoint.
constexpr char kSettings[] =
    "PRAGMA synchronous = NORMAL; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 16384;"
    "PRAGMA journal_size_limit = 268435456; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;";

absl::Status Refused(const std::string& message) {
  return Error(absl::StatusCode::kFailedPrecondition, reason::kReadModelFailed, message);
}

// The same error, saying of which file.
absl::Status AtPath(const absl::Status& error, const std::string& path) {
  if (error.ok() || ReasonOf(error) == reason::kOtherHistory) return error;
  const char* const reason = ReasonOf(error) == reason::kFormatUnknown ? reason::kFormatUnknown
                             : absl::IsDataLoss(error)                 ? reason::kReadModelDamaged
                                                                       : reason::kReadModelFailed;
  return Error(error.code(), reason, absl::StrFormat("%s: %s", path, std::string(error.message())));
}

// Of the type "table" or "index"; SQLite's own are not among them.
absl::StatusOr<std::vector<std::string>> NamesOf(sqlite::Database& database, std::string_view type) {
  EVERFOLD_ASSIGN_OR_RETURN(const auto select, database.Prepare("SELECT name FROM sqlite_schema WHERE type = ? "
                                                                "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"));
  select->Text(0, type);
  std::vector<std::string> names;
  while (true) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, select->Step());
    if (!found) return names;
    names.emplace_back(select->Text(0));
  }
}

// SQLite's integers have a sign; the bits are the same.
void WriteTally(sqlite::Statement& out, int index, const EventTally& tally) {
  out.Integer(index, static_cast<std::int64_t>(tally.count));
  out.Integer(index + 1, static_cast<std::int64_t>(tally.low));
  out.Integer(index + 2, static_cast<std::int64_t>(tally.high));
}

EventTally ReadTally(const sqlite::Statement& in, int index) {
  return {.count = static_cast<std::uint64_t>(in.Integer(index)),
          .low = static_cast<std::uint64_t>(in.Integer(index + 1)),
          .high = static_cast<std::uint64_t>(in.Integer(index + 2))};
}

absl::Status Run(sqlite::Statement& statement) {
  const sqlite::Use use(statement);
  return statement.Step().status();
}

}  // namespace

absl::StatusOr<std::unique_ptr<ReadModelFile>> ReadModelFile::Open(std::string path, const ProjectionType& type,
                                                                   const Checkpoint& beginning, Indexes indexes) {
  std::unique_ptr<ReadModelFile> file(new ReadModelFile(std::move(path), type, beginning));
  EVERFOLD_RETURN_IF_ERROR(AtPath(file->OpenDatabase(indexes), file->path_));
  return file;
}

absl::StatusOr<ReadModelFile::Fit> ReadModelFile::FitOf(const std::string& path, const ProjectionType& type,
                                                        const Checkpoint& beginning) {
  ReadModelFile file(path, type, beginning);
  EVERFOLD_RETURN_IF_ERROR(AtPath(file.InspectOnly(), path));
  return file.fit_;
}

absl::Status ReadModelFile::InspectOnly() {
  EVERFOLD_ASSIGN_OR_RETURN(database_, sqlite::Database::Open(path_, sqlite::Access::kReadOnly));
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<std::string> tables, NamesOf(*database_, "table"));
  if (!tables.empty()) return Inspect(tables);
  fit_ = Fit::kUnreadable;  // it was made a moment ago
  return absl::OkStatus();
}

absl::Status ReadModelFile::OpenDatabase(Indexes indexes) {
  EVERFOLD_ASSIGN_OR_RETURN(database_, sqlite::Database::Open(path_, sqlite::Access::kReadWrite));
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<std::string> tables, NamesOf(*database_, "table"));
  created_ = tables.empty();
  if (!created_) EVERFOLD_RETURN_IF_ERROR(Inspect(tables));
  EVERFOLD_RETURN_IF_ERROR(database_->Execute(kSettings));
  if (created_) EVERFOLD_RETURN_IF_ERROR(CreateTables());
  if (fit_ == Fit::kUnreadable) return absl::OkStatus();
  EVERFOLD_RETURN_IF_ERROR(LoadCheckpoint());
  EVERFOLD_ASSIGN_OR_RETURN(parked_, ParkedEvents::Prepare(*database_));
  if (fit_ == Fit::kReadable) return absl::OkStatus();
  EVERFOLD_RETURN_IF_ERROR(MatchIndexes(indexes));
  EVERFOLD_RETURN_IF_ERROR(PrepareStatements());
  if (lacks_indexes_) AwaitSql();
  return absl::OkStatus();
}

absl::Status ReadModelFile::Inspect(const std::vector<std::string>& tables) {
  bool has_meta = false;
  for (const std::string& table : tables) has_meta = has_meta || table == "everfold_meta";
  if (!has_meta) return Refused("this SQLite file was not made by everfold; move it away");
  EVERFOLD_ASSIGN_OR_RETURN(const auto version, database_->Prepare("SELECT format_version FROM everfold_meta"));
  EVERFOLD_ASSIGN_OR_RETURN(const bool written, version->Step());
  if (!written || version->Integer(0) > kReadModelFileVersion) {
    return Error(absl::StatusCode::kFailedPrecondition, reason::kFormatUnknown,
                 absl::StrFormat("its format is version %d, and this binary knows those up to %d; use the binary that "
                                 "wrote it, or delete the file to build its read models anew",
                                 written ? version->Integer(0) : 0, kReadModelFileVersion));
  }
  if (version->Integer(0) < kReadModelFileVersion) {
    fit_ = Fit::kUnreadable;
    return absl::OkStatus();
  }
  EVERFOLD_ASSIGN_OR_RETURN(const auto meta,
                            database_->Prepare("SELECT epoch, partitions, revision, tables FROM everfold_meta"));
  EVERFOLD_RETURN_IF_ERROR(meta->Step().status());
  EVERFOLD_RETURN_IF_ERROR(
      CheckHistory(Epoch{std::string(meta->Blob(0))}, static_cast<std::uint32_t>(meta->Integer(1))));
  if (!ViewsOfAdded(meta->Text(3), type_.read_models).has_value()) {
    fit_ = Fit::kUnreadable;
  } else if (meta->Text(3) != DescribeTables(type_.read_models) || meta->Integer(2) != type_.revision) {
    fit_ = Fit::kReadable;
  }
  return absl::OkStatus();
}

absl::Status ReadModelFile::CheckHistory(const Epoch& epoch, std::uint32_t partitions) const {
  if (epoch == checkpoint_.epoch && partitions == checkpoint_.offsets.size()) return absl::OkStatus();
  return Error(
      absl::StatusCode::kFailedPrecondition, reason::kOtherHistory,
      absl::StrFormat("%s was built from another history (epoch %s, %d partitions) than this store's (epoch %s, "
                      "%d partitions). Delete the file to build it anew from this store, or start with the "
                      "data that it belongs to",
                      path_, epoch.ToString(), partitions, checkpoint_.epoch.ToString(), checkpoint_.offsets.size()),
      {{"file_epoch", epoch.ToString()}, {"store_epoch", checkpoint_.epoch.ToString()}});
}

// All of them, or none: a file without tables is a new one at the next opening.
absl::Status ReadModelFile::CreateTables() {
  EVERFOLD_RETURN_IF_ERROR(database_->Execute("BEGIN IMMEDIATE"));
  const absl::Cleanup roll_back = [this] { Rollback(); };  // what was not committed
  EVERFOLD_RETURN_IF_ERROR(database_->Execute(kFrameworkTables));
  EVERFOLD_RETURN_IF_ERROR(database_->Execute(ParkedEvents::CreateTablesSql()));
  for (const ReadModelSchema* schema : type_.read_models) {
    EVERFOLD_RETURN_IF_ERROR(database_->Execute(CreateBareTableSql(*schema)));
  }
  EVERFOLD_RETURN_IF_ERROR(WriteMeta());
  return database_->Execute("COMMIT");
}

// No row depends on them, so those of other code are dropped, and those that are missing are made, now or later; what
// is done now is done as a whole, or not at all.
absl::Status ReadModelFile::MatchIndexes(Indexes indexes) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<std::string> present, NamesOf(*database_, "index"));
  std::set<std::string> there(present.begin(), present.end());
  std::vector<std::string> changes;
  for (const ReadModelSchema* schema : type_.read_models) {
    const std::vector<std::string> names = IndexNames(*schema);
    const std::vector<std::string> creations = CreateIndexesSql(*schema);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (there.erase(names[i]) > 0) continue;
      lacks_indexes_ = indexes == Indexes::kWhenComplete;
      if (!lacks_indexes_) changes.push_back(creations[i]);
    }
  }
  for (const std::string& name : there) {
    if (!name.starts_with("everfold_")) changes.push_back("DROP INDEX " + sqlite::Quoted(name));
  }
  if (changes.empty()) return absl::OkStatus();
  EVERFOLD_RETURN_IF_ERROR(database_->Execute("BEGIN IMMEDIATE"));
  const absl::Cleanup roll_back = [this] { Rollback(); };  // what was not committed
  for (const std::string& change : changes) EVERFOLD_RETURN_IF_ERROR(database_->Execute(change));
  return database_->Execute("COMMIT");
}

// Once, before the first SQL of a handler.
void ReadModelFile::AwaitSql() {
  rows_->BeforeSql([this] {
    made_in_transaction_ = true;
    return CreateLackingIndexes();
  });
}

absl::Status ReadModelFile::CreateLackingIndexes() {
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<std::string> present, NamesOf(*database_, "index"));
  for (const ReadModelSchema* schema : type_.read_models) {
    const std::vector<std::string> names = IndexNames(*schema);
    const std::vector<std::string> creations = CreateIndexesSql(*schema);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (std::find(present.begin(), present.end(), names[i]) != present.end()) continue;
      const absl::Status created = database_->Execute(creations[i]);
      if (!created.ok()) return Annotate("index " + names[i], created);
    }
  }
  lacks_indexes_ = false;
  return absl::OkStatus();
}

absl::StatusOr<bool> ReadModelFile::MakeIndexes(const std::function<bool()>& stop) {
  if (!lacks_indexes_) return false;
  rows_->ForgetCached();  // a sort takes memory as well
  database_->InterruptWhen(stop);
  const absl::Cleanup go_on = [this] {
    database_->InterruptWhen(nullptr);
    database_->Execute("PRAGMA temp_store = MEMORY").IgnoreError();
  };
  EVERFOLD_RETURN_IF_ERROR(database_->Execute("PRAGMA temp_store = FILE"));
  EVERFOLD_RETURN_IF_ERROR(AtPath(CreateLackingIndexes(), path_));
  rows_->BeforeSql(nullptr);
  return true;
}

absl::Status ReadModelFile::WriteMeta() {
  EVERFOLD_ASSIGN_OR_RETURN(const auto insert,
                            database_->Prepare("INSERT INTO everfold_meta VALUES (1, ?, ?, ?, ?, ?)"));
  insert->Integer(0, kReadModelFileVersion);
  insert->Blob(1, checkpoint_.epoch.bytes);
  insert->Integer(2, static_cast<std::int64_t>(checkpoint_.offsets.size()));
  insert->Integer(3, type_.revision);
  insert->Text(4, DescribeTables(type_.read_models));
  return insert->Step().status();
}

absl::Status ReadModelFile::LoadCheckpoint() {
  EVERFOLD_ASSIGN_OR_RETURN(const auto select, database_->Prepare("SELECT * FROM everfold_checkpoint"));
  while (true) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, select->Step());
    if (!found) return absl::OkStatus();
    const auto partition = static_cast<std::uint64_t>(select->Integer(0));
    if (partition >= checkpoint_.offsets.size() || select->Integer(1) < 0) {
      return Error(absl::StatusCode::kDataLoss, reason::kReadModelDamaged,
                   absl::StrFormat("checkpoint of partition %d is %d", select->Integer(0), select->Integer(1)));
    }
    checkpoint_.offsets[partition] = Offset(static_cast<std::uint64_t>(select->Integer(1)));
    tallies_[partition] = {
        .applied = ReadTally(*select, 2), .parked = ReadTally(*select, 5), .dropped = ReadTally(*select, 8)};
  }
}

absl::Status ReadModelFile::PrepareStatements() {
  EVERFOLD_ASSIGN_OR_RETURN(begin_, database_->Prepare("BEGIN IMMEDIATE"));
  EVERFOLD_ASSIGN_OR_RETURN(commit_, database_->Prepare("COMMIT"));
  EVERFOLD_ASSIGN_OR_RETURN(begin_part_, database_->Prepare("SAVEPOINT part"));
  EVERFOLD_ASSIGN_OR_RETURN(end_part_, database_->Prepare("RELEASE part"));
  EVERFOLD_ASSIGN_OR_RETURN(take_back_part_, database_->Prepare("ROLLBACK TO part"));
  EVERFOLD_ASSIGN_OR_RETURN(
      write_partition_,
      database_->Prepare("INSERT OR REPLACE INTO everfold_checkpoint VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  EVERFOLD_ASSIGN_OR_RETURN(rows_, SqliteRowStore::Prepare(*database_, type_.read_models));
  return absl::OkStatus();
}

void ReadModelFile::CacheRows(std::size_t max_bytes) {
  max_cached_bytes_ = max_bytes;
  rows_->SetCaching(max_bytes > 0);
}

absl::Status ReadModelFile::Begin() {
  rows_->BeginTransaction();
  changes_before_ = database_->changes();
  return Run(*begin_);
}

absl::Status ReadModelFile::BeginPart() { return Run(*begin_part_); }

absl::Status ReadModelFile::EndPart() { return Run(*end_part_); }

absl::Status ReadModelFile::TakeBackPart() {
  rows_->BeginTransaction();
  EVERFOLD_RETURN_IF_ERROR(Run(*take_back_part_));
  LoseIndexes();
  return Run(*end_part_);
}

// They may have been made in what is taken back.
void ReadModelFile::LoseIndexes() {
  if (!std::exchange(made_in_transaction_, false)) return;
  lacks_indexes_ = true;
  AwaitSql();
}

absl::Status ReadModelFile::WritePartition(std::size_t partition, Offset offset, const PartitionTally& tally) {
  const sqlite::Use use(*write_partition_);
  write_partition_->Integer(0, static_cast<std::int64_t>(partition));
  write_partition_->Integer(1, static_cast<std::int64_t>(offset.value()));
  WriteTally(*write_partition_, 2, tally.applied);
  WriteTally(*write_partition_, 5, tally.parked);
  WriteTally(*write_partition_, 8, tally.dropped);
  return write_partition_->Step().status();
}

absl::Status ReadModelFile::Commit(const Checkpoint& checkpoint, const std::vector<PartitionTally>& tallies) {
  rows_->Flush();
  EVERFOLD_RETURN_IF_ERROR(rows_->status());
  for (std::size_t i = 0; i < tallies.size(); ++i) {
    if (checkpoint.offsets[i] == checkpoint_.offsets[i] && tallies[i] == tallies_[i]) continue;
    EVERFOLD_RETURN_IF_ERROR(WritePartition(i, checkpoint.offsets[i], tallies[i]));
  }
  EVERFOLD_RETURN_IF_ERROR(RunCommit());
  made_in_transaction_ = false;
  checkpoint_ = checkpoint;
  tallies_ = tallies;
  if (rows_->cached().bytes() > max_cached_bytes_) rows_->ForgetCached();
  return absl::OkStatus();
}

absl::Status ReadModelFile::RunCommit() {
  std::optional<SnapshotGate::Commit> told;
  if (gate_ != nullptr) told.emplace(*gate_);
  return Run(*commit_);
}

// The WAL, and then the database, are synced, which waits for readers of what is older: those, too, that are older than
// what was committed by the opening.
absl::Status ReadModelFile::MakeDurable() {
  std::optional<SnapshotGate::Commit> told;
  if (gate_ != nullptr) told.emplace(*gate_);
  EVERFOLD_ASSIGN_OR_RETURN(const auto checkpoint, database_->Prepare("PRAGMA wal_checkpoint(FULL)"));
  EVERFOLD_ASSIGN_OR_RETURN(const bool answered, checkpoint->Step());
  if (answered && checkpoint->Integer(0) == 0) return absl::OkStatus();
  return Error(absl::StatusCode::kInternal, reason::kReadModelFailed,
               absl::StrFormat("%s is busy and cannot be synced", path_));
}

void ReadModelFile::Rollback() {
  if (rows_ != nullptr) rows_->ForgetCached();
  EndUnchanged();
  LoseIndexes();
}

void ReadModelFile::EndUnchanged() {
  // SQLite rolls back at the next opening what it cannot roll back here.
  if (database_->in_transaction()) database_->Execute("ROLLBACK").IgnoreError();
}

}  // namespace everfold
