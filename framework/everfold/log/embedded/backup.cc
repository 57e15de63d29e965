#include "everfold/log/embedded/backup.h"

#include <rocksdb/db.h>
#include <rocksdb/utilities/backup_engine.h>

#include <filesystem>
#include <memory>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "everfold/log/embedded/database.h"
#include "everfold/log/embedded/new_store.h"
#include "everfold/log/embedded/storage_error.h"
#include "everfold/log/embedded/store_directory.h"
#include "everfold/log/embedded/store_identity.h"
#include "everfold/log/embedded/store_parts.h"

namespace everfold {
namespace {

constexpr std::uint64_t kBytesBetweenProgress = 4 << 20;

// As RocksDB wants directories in which it opens a backup.
std::string Absolute(const std::string& directory) { return std::filesystem::absolute(directory).string(); }

rocksdb::BackupEngineOptions EngineOptions(const std::string& directory, rocksdb::Env& env) {
  rocksdb::BackupEngineOptions options(SealedDirectory(directory), &env);
  options.share_table_files = true;
  options.share_files_with_checksum = true;
  options.sync = true;
  options.callback_trigger_interval_size = kBytesBetweenProgress;
  return options;
}

absl::StatusOr<LogIdentity> ReadIdentity(Files& files, const std::string& directory) {
  const std::string path = IdentityPath(directory);
  absl::StatusOr<std::string> bytes = ReadFile(files, path);
  if (absl::IsNotFound(bytes.status())) return DataLoss(path + " is missing");
  EVERFOLD_RETURN_IF_ERROR(bytes.status());
  absl::StatusOr<LogIdentity> identity = DecodeIdentity(*bytes);
  if (absl::IsDataLoss(identity.status())) {
    return DataLoss(absl::StrFormat("%s: %s", path, identity.status().message()));
  }
  return identity;
}

// Written where there is none; else it must be that of the same store.
absl::Status ClaimFor(Files& files, const std::string& directory, const LogIdentity& identity) {
  if (!files.Exists(IdentityPath(directory))) {
    EVERFOLD_ASSIGN_OR_RETURN(const std::vector<std::uint32_t> numbers, BackupNumbers(files, directory));
    if (!numbers.empty()) return DataLoss(directory + " has backups, but no identity file");
    return ReplaceFile(files, IdentityPath(directory), EncodeIdentity(identity));
  }
  EVERFOLD_ASSIGN_OR_RETURN(const LogIdentity backed_up, ReadIdentity(files, directory));
  if (backed_up == identity) return absl::OkStatus();
  return Error(
      absl::StatusCode::kFailedPrecondition, reason::kStoreMismatch,
      absl::StrFormat("%s holds backups of another store, of epoch %s; this one is of epoch %s. Choose another "
                      "directory",
                      directory, backed_up.epoch.ToString(), identity.epoch.ToString()));
}

absl::StatusOr<std::uint64_t> BytesIn(Files& files, const std::string& directory) {
  std::uint64_t bytes = 0;
  if (!files.Exists(directory)) return bytes;
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(directory));
  for (const std::string& name : names) {
    const absl::StatusOr<std::unique_ptr<File>> file = files.Open(directory + "/" + name);
    if (!file.ok()) continue;  // a directory
    EVERFOLD_ASSIGN_OR_RETURN(const std::uint64_t size, (*file)->Size());
    bytes += size;
  }
  return bytes;
}

// RocksDB's BackupEngine on one directory.
class BackupWriter {
 public:
  BackupWriter(Files& files, const BackupOptions& options)
      : files_(files), options_(options), env_(rocksdb::NewCompositeEnv(files.ForRocksDb())) {}

  absl::Status Open() {
    rocksdb::BackupEngine* engine = nullptr;
    EVERFOLD_RETURN_IF_ERROR(
        Checked(rocksdb::BackupEngine::Open(EngineOptions(options_.directory, *env_), env_.get(), &engine)));
    engine_.reset(engine);
    return absl::OkStatus();
  }

  // The sealed files as they are at some moment from now on; returns the backup's number.
  absl::StatusOr<std::uint32_t> Copy(const SealedChunks& sealed) {
    const std::uint64_t total = sealed.size().bytes;
    std::uint64_t copied = 0;
    absl::Status stopped;
    rocksdb::CreateBackupOptions create;
    create.progress_callback = [&] {
      copied += kBytesBetweenProgress;
      if (options_.on_progress && stopped.ok()) stopped = options_.on_progress(copied, total);
      if (!stopped.ok()) engine_->StopBackup();
    };
    rocksdb::BackupID number = 0;
    const rocksdb::Status status = engine_->CreateNewBackup(create, &sealed.database().rocks(), &number);
    EVERFOLD_RETURN_IF_ERROR(stopped);
    EVERFOLD_RETURN_IF_ERROR(Checked(status));
    return number;
  }

  // Read from the backup itself: seals may have moved on since it was asked for.
  absl::StatusOr<SealedCheckpoint> CheckpointOf(std::uint32_t number, const LogIdentity& identity) const {
    rocksdb::BackupInfo info;
    EVERFOLD_RETURN_IF_ERROR(Checked(engine_->GetBackupInfo(number, &info, /*include_file_details=*/true)));
    EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<SealedDatabase> database,
                              SealedDatabase::OpenReadOnly(*info.env_for_open, info.name_for_open));
    return ReadSealedCheckpoint(*database, identity.epoch, identity.partitions);
  }

  // Reads all files that the backup relies on: those that it shares with earlier ones were not copied now.
  absl::Status Verify(std::uint32_t number) const {
    const rocksdb::Status status = engine_->VerifyBackup(number, /*verify_with_checksum=*/true);
    if (!status.IsCorruption() && !status.IsNotFound()) return Checked(status);
    return DataLoss(
        absl::StrFormat("files in %s that the new backup shares with earlier ones are damaged, and no backup was made: "
                        "%s. Choose another directory",
                        options_.directory, status.ToString()));
  }

  // Of a backup that was not finished: nothing of it is left that no other backup has.
  absl::Status Delete(std::uint32_t number) { return Checked(engine_->DeleteBackup(number)); }

  absl::StatusOr<std::uint64_t> BytesOf(std::uint32_t number) const {
    const std::string sealed = SealedDirectory(options_.directory);
    EVERFOLD_ASSIGN_OR_RETURN(const std::uint64_t own,
                              BytesIn(files_, absl::StrFormat("%s/private/%d", sealed, number)));
    EVERFOLD_ASSIGN_OR_RETURN(const std::uint64_t shared, BytesIn(files_, sealed + "/shared_checksum"));
    return own + shared;
  }

 private:
  absl::Status Checked(const rocksdb::Status& status) const {
    return StatusOf(status, "a backup in " + options_.directory + " failed");
  }

  Files& files_;
  const BackupOptions& options_;
  const std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<rocksdb::BackupEngine> engine_;
};

// Reads backups, and changes nothing in their directory.
class BackupReader {
 public:
  BackupReader(Files& files, std::string directory)
      : directory_(std::move(directory)), env_(rocksdb::NewCompositeEnv(files.ForRocksDb())) {}

  absl::Status Open() {
    rocksdb::BackupEngineReadOnly* engine = nullptr;
    EVERFOLD_RETURN_IF_ERROR(
        Damaged(rocksdb::BackupEngineReadOnly::Open(EngineOptions(directory_, *env_), env_.get(), &engine)));
    engine_.reset(engine);
    return absl::OkStatus();
  }

  absl::Status Verify(std::uint32_t number) const {
    return Damaged(engine_->VerifyBackup(number, /*verify_with_checksum=*/true));
  }

  absl::Status RestoreTo(std::uint32_t number, const std::string& sealed) const {
    return StatusOf(engine_->RestoreDBFromBackup(rocksdb::RestoreOptions(), number, sealed, sealed),
                    "copying the backup to " + sealed + " failed");
  }

 private:
  // Also what RocksDB has other words for: it was there, and is not there now.
  absl::Status Damaged(const rocksdb::Status& status) const {
    if (status.ok()) return absl::OkStatus();
    return DataLoss(absl::StrFormat("the backup in %s is damaged: %s", directory_, status.ToString()));
  }

  const std::string directory_;
  const std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<rocksdb::BackupEngineReadOnly> engine_;
};

absl::Status CopySealed(Files& files, const RestoreOptions& options, std::uint32_t number) {
  if (!files.Exists(SealedDirectory(options.backups) + "/meta")) {
    return DataLoss("the backup in " + options.backups + " is damaged: it has no " + SealedDirectory(options.backups) +
                    "/meta");
  }
  BackupReader reader(files, options.backups);
  EVERFOLD_RETURN_IF_ERROR(reader.Open());
  EVERFOLD_RETURN_IF_ERROR(reader.Verify(number));
  EVERFOLD_RETURN_IF_ERROR(files.MakeDirectory(SealedDirectory(options.directory)));
  return reader.RestoreTo(number, SealedDirectory(options.directory));
}

absl::Status CheckRestored(const SealedChunks& sealed, const BackupManifest& manifest) {
  const SealedCheckpoint restored = sealed.checkpoint();
  if (restored == manifest.checkpoint) return absl::OkStatus();
  return DataLoss(
      absl::StrFormat("backup %d is not what its manifest says: it ends with group %d, not %d, or with other "
                      "chunks",
                      manifest.number, restored.group.group, manifest.checkpoint.group.group));
}

// Looks at what was copied, and makes a backup of it by writing its manifest.
absl::StatusOr<MadeBackup> Finish(Files& files, const BackupWriter& writer, const BackupOptions& options,
                                  const LogIdentity& identity, std::uint32_t number) {
  BackupManifest manifest{.number = number, .made_at = options.made_at, .epoch = identity.epoch, .checkpoint = {}};
  EVERFOLD_RETURN_IF_ERROR(writer.Verify(number));
  EVERFOLD_ASSIGN_OR_RETURN(manifest.checkpoint, writer.CheckpointOf(number, identity));
  EVERFOLD_ASSIGN_OR_RETURN(const std::uint64_t bytes, writer.BytesOf(number));
  if (options.complete) EVERFOLD_RETURN_IF_ERROR(options.complete(options.directory));
  EVERFOLD_RETURN_IF_ERROR(
      ReplaceFile(files, BackupManifestPath(options.directory, number), EncodeBackupManifest(manifest)));
  return MadeBackup{.number = number, .events = manifest.events(), .bytes_copied = bytes};
}

absl::StatusOr<MadeBackup> AddTo(Files& files, const SealedChunks& sealed, const LogIdentity& identity,
                                 const BackupOptions& options) {
  EVERFOLD_RETURN_IF_ERROR(files.MakeDirectory(SealedDirectory(options.directory)));
  EVERFOLD_RETURN_IF_ERROR(ClaimFor(files, options.directory, identity));
  BackupWriter writer(files, options);
  EVERFOLD_RETURN_IF_ERROR(writer.Open());
  EVERFOLD_ASSIGN_OR_RETURN(const std::uint64_t bytes_before, writer.BytesOf(0));
  EVERFOLD_ASSIGN_OR_RETURN(const std::uint32_t number, writer.Copy(sealed));
  absl::StatusOr<MadeBackup> made = Finish(files, writer, options, identity, number);
  if (made.ok()) {
    made->bytes_copied -= bytes_before;
    return made;
  }
  absl::Status failed = made.status();
  failed.Update(writer.Delete(number));
  return failed;
}

}  // namespace

absl::StatusOr<MadeBackup> AddBackup(Files& files, const SealedChunks& sealed, const LogIdentity& identity,
                                     const BackupOptions& options) {
  BackupOptions absolute = options;
  absolute.directory = Absolute(options.directory);
  const std::filesystem::path store = std::filesystem::path(sealed.database().rocks().GetName()).parent_path();
  EVERFOLD_RETURN_IF_ERROR(CheckAreApart(absolute.directory, store.string()));
  std::unique_ptr<StoreDirectory> holder;  // one backup at a time
  if (&files == &PosixFiles()) {
    EVERFOLD_ASSIGN_OR_RETURN(holder, StoreDirectory::Claim(absolute.directory));
  }
  return AddTo(files, sealed, identity, absolute);
}

absl::StatusOr<BackupManifest> RestoreBackup(const RestoreOptions& given, RandomSource& random) {
  RestoreOptions options = given;
  options.backups = Absolute(given.backups);
  options.directory = Absolute(given.directory);
  Files& files = options.files != nullptr ? *options.files : PosixFiles();
  EVERFOLD_RETURN_IF_ERROR(CheckAreApart(options.backups, options.directory));
  EVERFOLD_ASSIGN_OR_RETURN(const BackupManifest manifest, ReadBackupManifest(files, options.backups, options.number));
  EVERFOLD_ASSIGN_OR_RETURN(LogIdentity identity, ReadIdentity(files, options.backups));
  if (identity.epoch != manifest.epoch || identity.partitions != manifest.checkpoint.heads.size()) {
    return DataLoss(IdentityPath(options.backups) + " is of another store than the backup");
  }
  EVERFOLD_RETURN_IF_ERROR(CheckIsEmpty(files, options.directory));
  EVERFOLD_RETURN_IF_ERROR(files.MakeDirectory(options.directory));
  EVERFOLD_RETURN_IF_ERROR(CopySealed(files, options, manifest.number));

  identity.epoch = NewIdentity(identity.partitions, random).epoch;
  EVERFOLD_ASSIGN_OR_RETURN(
      const std::unique_ptr<SealedChunks> sealed,
      SealedChunks::OpenUnderNewEpoch(files, SealedDirectory(options.directory), identity, manifest.epoch));
  EVERFOLD_RETURN_IF_ERROR(CheckRestored(*sealed, manifest));
  if (options.verify) EVERFOLD_RETURN_IF_ERROR(options.verify(*ReadOnlyLog(*sealed, identity)));
  EVERFOLD_RETURN_IF_ERROR(
      CompleteStore(files, options.directory, identity, manifest.checkpoint.group, options.journal_file_bytes));
  return manifest;
}

}  // namespace everfold
