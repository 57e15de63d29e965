#include "everfold/store/index/index_database.h"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/metadata.h>
#include <rocksdb/options.h>

#include <algorithm>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/log/files/fail_stop.h"
#include "everfold/store/index/forgotten_commands.h"
#include "everfold/store/index/index_options.h"

namespace everfold {
namespace {

std::string DatabasePath(const std::string& directory) { return directory + "/db"; }
std::string IncomingDirectory(const std::string& directory) { return directory + "/incoming"; }

bool IsDamage(const rocksdb::Status& status) {
  return status.IsCorruption() || status.IsPathNotFound() || status.IsNotFound() || status.IsInvalidArgument() ||
         status.IsNotSupported() || status.IsIncomplete();
}

// RocksDB would take a directory without its CURRENT file for an empty one.
absl::StatusOr<bool> HoldsDatabase(Files& files, const std::string& path) {
  if (!files.Exists(path)) return false;
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(path));
  return !names.empty();
}

rocksdb::ColumnFamilyMetaData FilesOf(rocksdb::DB& rocks, rocksdb::ColumnFamilyHandle* family) {
  rocksdb::ColumnFamilyMetaData files;
  rocks.GetColumnFamilyMetaData(family, &files);
  return files;
}

// Each file of level 0 is one, and each other level.
std::size_t RunsOf(rocksdb::DB& rocks, rocksdb::ColumnFamilyHandle* family) {
  std::size_t runs = 0;
  const rocksdb::ColumnFamilyMetaData files = FilesOf(rocks, family);
  for (const rocksdb::LevelMetaData& level : files.levels) {
    runs += level.level == 0 ? level.files.size() : !level.files.empty();
  }
  return runs;
}

}  // namespace

IndexDatabase::IndexDatabase(Files& files, const std::string& directory)
    : directory_(directory),
      env_(rocksdb::NewCompositeEnv(FailStop(files.ForRocksDb(), IncomingDirectory(directory)))),
      forgotten_(std::make_unique<ForgottenCommands>()) {}

IndexDatabase::~IndexDatabase() {
  if (rocks_ == nullptr) return;
  for (rocksdb::ColumnFamilyHandle* family : families_)
    rocks_->DestroyColumnFamilyHandle(family).PermitUncheckedError();
}

absl::StatusOr<std::unique_ptr<IndexDatabase>> IndexDatabase::Open(Files& files, const std::string& directory,
                                                                   std::size_t cache_bytes) {
  std::unique_ptr<IndexDatabase> database(new IndexDatabase(files, directory));
  const std::string path = DatabasePath(directory);
  EVERFOLD_ASSIGN_OR_RETURN(const bool holds_database, HoldsDatabase(files, path));
  if (!holds_database) return absl::NotFoundError("it is missing");
  if (!files.Exists(path + "/CURRENT")) return database->Damaged("there is no CURRENT file");
  EVERFOLD_RETURN_IF_ERROR(files.RemoveAll(IncomingDirectory(directory)));
  EVERFOLD_RETURN_IF_ERROR(files.MakeDirectory(IncomingDirectory(directory)));
  EVERFOLD_RETURN_IF_ERROR(database->OpenRocks(cache_bytes, /*create=*/false));
  return database;
}

absl::StatusOr<std::unique_ptr<IndexDatabase>> IndexDatabase::Create(Files& files, const std::string& directory,
                                                                     std::size_t cache_bytes) {
  std::unique_ptr<IndexDatabase> database(new IndexDatabase(files, directory));
  for (const std::string& path : {DatabasePath(directory), IncomingDirectory(directory)}) {
    EVERFOLD_RETURN_IF_ERROR(files.RemoveAll(path));
    EVERFOLD_RETURN_IF_ERROR(files.MakeDirectory(path));
  }
  EVERFOLD_RETURN_IF_ERROR(database->OpenRocks(cache_bytes, /*create=*/true));
  return database;
}

absl::Status IndexDatabase::OpenRocks(std::size_t cache_bytes, bool create) {
  rocksdb::DBOptions options = IndexDatabaseOptions(env_.get());
  options.create_if_missing = create;
  options.create_missing_column_families = create;
  const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(cache_bytes);
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const EntryKind kind : kEntryKinds) descriptors.emplace_back(NameOf(kind), EntryOptions(kind, cache));
  descriptors[IndexOf(EntryKind::kCommands)].options.compaction_filter = forgotten_->filter();
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* rocks = nullptr;
  EVERFOLD_RETURN_IF_ERROR(
      StatusOf(rocksdb::DB::Open(options, DatabasePath(directory_), descriptors, &handles, &rocks), "opened"));
  rocks_.reset(rocks);
  std::copy(handles.begin(), handles.end(), families_.begin());
  return absl::OkStatus();
}

std::unique_ptr<rocksdb::Iterator> IndexDatabase::NewIterator(EntryKind kind,
                                                              const rocksdb::ReadOptions& options) const {
  return std::unique_ptr<rocksdb::Iterator>(rocks_->NewIterator(options, families_[IndexOf(kind)]));
}

std::shared_ptr<const rocksdb::Snapshot> IndexDatabase::TakeSnapshot() const {
  return {rocks_->GetSnapshot(), [this](const rocksdb::Snapshot* snapshot) { rocks_->ReleaseSnapshot(snapshot); }};
}

absl::StatusOr<std::optional<std::string>> IndexDatabase::Get(EntryKind kind, std::string_view key,
                                                              const rocksdb::Snapshot* snapshot) const {
  std::string value;
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  const rocksdb::Status status = rocks_->Get(options, families_[IndexOf(kind)], key, &value);
  if (status.IsNotFound()) return std::nullopt;
  EVERFOLD_RETURN_IF_ERROR(StatusOf(status, "read"));
  return value;
}

// Another one each time: the file of the last time may be there still, as one more name of a file that was taken in.
std::string IndexDatabase::IncomingPath(EntryKind kind) const {
  return absl::StrFormat("%s/%d-%s.sst", IncomingDirectory(directory_), installs_, NameOf(kind));
}

rocksdb::Options IndexDatabase::FileOptions(EntryKind kind) const {
  return rocks_->GetOptions(families_[IndexOf(kind)]);
}

// A snapshot makes RocksDB take the files for new runs without looking for levels that they would fit into. That look
// goes by two views of a family's files, and where a merge has just ended it finds in one of them a level that is not
// in the other, and ends the process.
absl::Status IndexDatabase::Install(const std::vector<EntryKind>& kinds) {
  const std::shared_ptr<const rocksdb::Snapshot> snapshot = TakeSnapshot();
  std::vector<rocksdb::IngestExternalFileArg> files;
  for (const EntryKind kind : kinds) {
    rocksdb::IngestExternalFileArg& file = files.emplace_back();
    file.column_family = families_[IndexOf(kind)];
    file.external_files = {IncomingPath(kind)};
    file.options.move_files = true;
    file.options.snapshot_consistency = true;
    file.options.write_global_seqno = false;
  }
  ++installs_;
  return StatusOf(rocks_->IngestExternalFiles(files), "extended");
}

// Not by deleting a range: iterators would meet its mark, and RocksDB 7.8 then misses entries (see rocks_iterator.h).
absl::Status IndexDatabase::DropCommandsBefore(Day first) {
  if (!forgotten_->Before(first)) return absl::OkStatus();
  const std::string behind = CommandPrefix(first, CommandDigest());
  const rocksdb::Slice end = behind;
  rocksdb::ColumnFamilyHandle* const commands = families_[IndexOf(EntryKind::kCommands)];
  return StatusOf(rocksdb::DeleteFilesInRange(rocks_.get(), commands, nullptr, &end, /*include_end=*/false), "emptied");
}

std::size_t IndexDatabase::runs() const {
  std::size_t most = 0;
  for (rocksdb::ColumnFamilyHandle* const family : families_) most = std::max(most, RunsOf(*rocks_, family));
  return most;
}

absl::Status IndexDatabase::MergeRuns(std::uint64_t max_bytes, std::atomic<bool>& cancelled) {
  std::uint64_t bytes = 0;
  for (rocksdb::ColumnFamilyHandle* const family : families_) bytes += FilesOf(*rocks_, family).size;
  if (bytes > max_bytes) return absl::OkStatus();
  rocksdb::CompactRangeOptions options;
  options.canceled = &cancelled;
  // Otherwise RocksDB first flushes its memtable, which is empty, and before that waits until there are fewer runs: for
  // a merge that nobody may have begun.
  options.allow_write_stall = true;
  for (rocksdb::ColumnFamilyHandle* const family : families_) {
    if (cancelled) break;
    if (RunsOf(*rocks_, family) < 2) continue;
    const rocksdb::Status status = rocks_->CompactRange(options, family, nullptr, nullptr);
    if (status.IsIncomplete() && cancelled) break;
    EVERFOLD_RETURN_IF_ERROR(StatusOf(status, "merged"));
  }
  return absl::OkStatus();
}

absl::Status IndexDatabase::StatusOf(const rocksdb::Status& status, const char* doing) const {
  if (status.ok()) return absl::OkStatus();
  if (IsDamage(status)) return Damaged(status.ToString());
  const std::string message = "the index in " + directory_ + " cannot be " + doing + ": " + status.ToString();
  if (!status.IsNoSpace()) return Error(absl::StatusCode::kInternal, reason::kStorageFailed, message);
  return Error(absl::StatusCode::kResourceExhausted, reason::kDiskFull, message);
}

absl::Status IndexDatabase::Damaged(const std::string& what) const {
  return Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
               "the index in " + directory_ + " is damaged: " + what +
                   ". It can be built again from the log, which is not affected: rebuild-index",
               {{"index", directory_}});
}

}  // namespace everfold
