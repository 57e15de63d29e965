#include "everfold/projection/read_model_file.h"

#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/projection/read_model_sql.h"

namespace everfold {
namespace {

constexpr char kFrameworkTables[] =
    "CREATE TABLE everfold_meta (id INTEGER PRIMARY KEY CHECK (id = 1), format_version INTEGER NOT NULL,"
    " epoch BLOB NOT NULL, partitions INTEGER NOT NULL, revision INTEGER NOT NULL,"
    " schema_fingerprint BLOB NOT NULL) STRICT;"
    "CREATE TABLE everfold_checkpoint (\"partition\" INTEGER PRIMARY KEY, \"offset\" INTEGER NOT NULL) STRICT;";

// The larger the cache is, the fewer pages of a long transaction go to the file twice.
constexpr char kSettings[] =
    "PRAGMA synchronous = NORMAL; PRAGMA journal_mode = WAL; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;";

absl::Status MakeFolder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) return absl::OkStatus();
  return Error(absl::StatusCode::kInternal, reason::kReadModelFailed,
               absl::StrFormat("cannot make the folder %s: %s", folder.string(), error.message()));
}

absl::Status Refused(const std::string& message) {
  return Error(absl::StatusCode::kFailedPrecondition, reason::kReadModelFailed, message);
}

// The same error, saying of which file.
absl::Status AtPath(const absl::Status& error, const std::string& path) {
  if (error.ok() || ReasonOf(error) == reason::kOtherHistory) return error;
  const char* advice =
      absl::IsDataLoss(error) ? ". Read models can be built anew from the log: delete the file and start again" : "";
  return Error(error.code(), absl::IsDataLoss(error) ? reason::kDataLoss : reason::kReadModelFailed,
               absl::StrFormat("%s: %s%s", path, std::string(error.message()), advice));
}

absl::StatusOr<std::vector<std::string>> TableNames(sqlite::Database& database) {
  EVERFOLD_ASSIGN_OR_RETURN(const auto select, database.Prepare("SELECT name FROM sqlite_schema WHERE type = 'table' "
                                                                "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"));
  std::vector<std::string> names;
  while (true) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, select->Step());
    if (!found) return names;
    names.emplace_back(select->Text(0));
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<ReadModelFile>> ReadModelFile::Open(const std::string& directory,
                                                                   const ProjectionType& type,
                                                                   const Checkpoint& beginning, Rebuilding rebuilding) {
  const std::filesystem::path folder = std::filesystem::path(directory) / type.name;
  EVERFOLD_RETURN_IF_ERROR(MakeFolder(folder));
  const std::string path = (folder / absl::StrFormat("%d.db", type.revision)).string();
  std::unique_ptr<ReadModelFile> file(new ReadModelFile(path, type, beginning));
  EVERFOLD_RETURN_IF_ERROR(AtPath(file->OpenDatabase(rebuilding), path));
  return file;
}

absl::Status ReadModelFile::OpenDatabase(const Rebuilding& rebuilding) {
  EVERFOLD_ASSIGN_OR_RETURN(database_, sqlite::Database::Open(path_, sqlite::Access::kReadWrite));
  // Looks before it changes anything: a file that is refused stays as it is.
  EVERFOLD_ASSIGN_OR_RETURN(const Contents contents, Inspect(rebuilding));
  EVERFOLD_RETURN_IF_ERROR(database_->Execute(kSettings));
  if (contents != Contents::kCurrent) EVERFOLD_RETURN_IF_ERROR(InTransaction(&ReadModelFile::CreateTables));
  EVERFOLD_RETURN_IF_ERROR(LoadCheckpoint());
  return PrepareStatements();
}

absl::StatusOr<ReadModelFile::Contents> ReadModelFile::Inspect(const Rebuilding& rebuilding) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<std::string> tables, TableNames(*database_));
  if (tables.empty()) return Contents::kNone;
  for (const std::string& table : tables) {
    if (table == "everfold_meta") return InspectMeta(rebuilding);
  }
  return Refused("this SQLite file was not made by everfold; move it away");
}

absl::StatusOr<ReadModelFile::Contents> ReadModelFile::InspectMeta(const Rebuilding& rebuilding) {
  EVERFOLD_ASSIGN_OR_RETURN(const auto version, database_->Prepare("SELECT format_version FROM everfold_meta"));
  EVERFOLD_ASSIGN_OR_RETURN(const bool written, version->Step());
  if (!written || version->Integer(0) != kReadModelFileVersion) {
    return Refused(
        absl::StrFormat("its format is not version %d, the one that this binary knows; use the binary that "
                        "wrote it, or delete the file to build its read models anew",
                        kReadModelFileVersion));
  }
  EVERFOLD_ASSIGN_OR_RETURN(const auto meta, database_->Prepare("SELECT epoch, partitions, revision, schema_fingerprint"
                                                                " FROM everfold_meta"));
  EVERFOLD_RETURN_IF_ERROR(meta->Step().status());
  EVERFOLD_RETURN_IF_ERROR(
      CheckHistory(Epoch{std::string(meta->Blob(0))}, static_cast<std::uint32_t>(meta->Integer(1))));
  const bool same_revision = meta->Integer(2) == type_.revision;
  const bool same_schema = std::string(meta->Blob(3)) == FingerprintOfTables(type_.read_models);
  if (same_revision && same_schema) return Contents::kCurrent;
  rebuilding(same_revision ? "its read models have changed" : "its file was written by another revision");
  return Contents::kOutdated;
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

absl::Status ReadModelFile::InTransaction(absl::Status (ReadModelFile::*change)()) {
  EVERFOLD_RETURN_IF_ERROR(database_->Execute("BEGIN IMMEDIATE"));
  absl::Status status = (this->*change)();
  if (status.ok()) status = database_->Execute("COMMIT");
  if (!status.ok()) Rollback();
  return status;
}

absl::Status ReadModelFile::CreateTables() {
  EVERFOLD_RETURN_IF_ERROR(DropTables());
  EVERFOLD_RETURN_IF_ERROR(database_->Execute(kFrameworkTables));
  for (const ReadModelSchema* schema : type_.read_models) {
    EVERFOLD_RETURN_IF_ERROR(database_->Execute(CreateTableSql(*schema)));
  }
  return WriteMeta();
}

absl::Status ReadModelFile::DropTables() {
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<std::string> tables, TableNames(*database_));
  for (const std::string& table : tables) {
    EVERFOLD_RETURN_IF_ERROR(database_->Execute("DROP TABLE " + sqlite::Quoted(table)));
  }
  return absl::OkStatus();
}

absl::Status ReadModelFile::WriteMeta() {
  EVERFOLD_ASSIGN_OR_RETURN(const auto insert,
                            database_->Prepare("INSERT INTO everfold_meta VALUES (1, ?, ?, ?, ?, ?)"));
  insert->Integer(0, kReadModelFileVersion);
  insert->Blob(1, checkpoint_.epoch.bytes);
  insert->Integer(2, static_cast<std::int64_t>(checkpoint_.offsets.size()));
  insert->Integer(3, type_.revision);
  insert->Blob(4, FingerprintOfTables(type_.read_models));
  return insert->Step().status();
}

absl::Status ReadModelFile::LoadCheckpoint() {
  EVERFOLD_ASSIGN_OR_RETURN(const auto select,
                            database_->Prepare("SELECT \"partition\", \"offset\" FROM everfold_checkpoint"));
  while (true) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, select->Step());
    if (!found) return absl::OkStatus();
    const auto partition = static_cast<std::uint64_t>(select->Integer(0));
    if (partition >= checkpoint_.offsets.size() || select->Integer(1) < 0) {
      return Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
                   absl::StrFormat("checkpoint of partition %d is %d", select->Integer(0), select->Integer(1)));
    }
    checkpoint_.offsets[partition] = Offset(static_cast<std::uint64_t>(select->Integer(1)));
  }
}

absl::Status ReadModelFile::PrepareStatements() {
  EVERFOLD_ASSIGN_OR_RETURN(begin_, database_->Prepare("BEGIN IMMEDIATE"));
  EVERFOLD_ASSIGN_OR_RETURN(commit_, database_->Prepare("COMMIT"));
  EVERFOLD_ASSIGN_OR_RETURN(
      write_offset_, database_->Prepare("INSERT INTO everfold_checkpoint (\"partition\", \"offset\") VALUES (?, ?)"
                                        " ON CONFLICT (\"partition\") DO UPDATE SET \"offset\" = excluded.\"offset\""));
  EVERFOLD_ASSIGN_OR_RETURN(rows_, SqliteRowStore::Prepare(*database_, type_.read_models));
  return absl::OkStatus();
}

absl::Status ReadModelFile::Begin() {
  rows_->BeginTransaction();
  const sqlite::Use use(*begin_);
  return begin_->Step().status();
}

absl::Status ReadModelFile::WriteCheckpoint(const Checkpoint& checkpoint) {
  for (std::size_t i = 0; i < checkpoint.offsets.size(); ++i) {
    if (checkpoint.offsets[i] == checkpoint_.offsets[i]) continue;
    const sqlite::Use use(*write_offset_);
    write_offset_->Integer(0, static_cast<std::int64_t>(i));
    write_offset_->Integer(1, static_cast<std::int64_t>(checkpoint.offsets[i].value()));
    EVERFOLD_RETURN_IF_ERROR(write_offset_->Step().status());
  }
  return absl::OkStatus();
}

absl::Status ReadModelFile::Commit(const Checkpoint& checkpoint) {
  EVERFOLD_RETURN_IF_ERROR(rows_->status());
  EVERFOLD_RETURN_IF_ERROR(WriteCheckpoint(checkpoint));
  const sqlite::Use use(*commit_);
  EVERFOLD_RETURN_IF_ERROR(commit_->Step().status());
  checkpoint_ = checkpoint;
  return absl::OkStatus();
}

void ReadModelFile::Rollback() {
  // SQLite rolls back at the next opening what it cannot roll back here.
  if (database_->in_transaction()) database_->Execute("ROLLBACK").IgnoreError();
}

}  // namespace everfold
