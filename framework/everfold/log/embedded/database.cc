#include "everfold/log/embedded/database.h"

#include <fcntl.h>
#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/file_system.h>
#include <rocksdb/table.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "everfold/base/error.h"
#include "everfold/base/status.h"

namespace everfold {
namespace {

namespace fs = std::filesystem;

// RocksDB makes files that everybody may read. Here they exist before RocksDB comes to make them, for the owner alone.
class OwnersFiles final : public rocksdb::FileSystemWrapper {
 public:
  OwnersFiles() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}

  const char* Name() const override { return "OwnersFiles"; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* context) override {
    MakeForOwner(name);
    return target()->NewWritableFile(name, options, file, context);
  }
  rocksdb::IOStatus NewLogger(const std::string& name, const rocksdb::IOOptions& options,
                              std::shared_ptr<rocksdb::Logger>* logger, rocksdb::IODebugContext* context) override {
    MakeForOwner(name);
    return target()->NewLogger(name, options, logger, context);
  }
  rocksdb::IOStatus LockFile(const std::string& name, const rocksdb::IOOptions& options, rocksdb::FileLock** lock,
                             rocksdb::IODebugContext* context) override {
    MakeForOwner(name);
    return target()->LockFile(name, options, lock, context);
  }

 private:
  // Where it fails, RocksDB fails at once at the same name, and says so.
  static void MakeForOwner(const std::string& name) {
    const int fd = open(name.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
  }
};

rocksdb::CompressionType Best(std::initializer_list<rocksdb::CompressionType> wanted) {
  const std::vector<rocksdb::CompressionType> supported = rocksdb::GetSupportedCompressions();
  for (const rocksdb::CompressionType type : wanted) {
    if (std::find(supported.begin(), supported.end(), type) != supported.end()) return type;
  }
  return rocksdb::kNoCompression;
}

rocksdb::BlockBasedTableOptions TableOptions() {
  rocksdb::BlockBasedTableOptions table;
  table.format_version = 5;
  table.checksum = rocksdb::kXXH3;
  table.block_size = 16 << 10;
  table.block_cache = rocksdb::NewLRUCache(32 << 20);
  // Readahead grows with the length of a scan, up to this: a replay gets long reads, a short read pays nothing.
  table.max_auto_readahead_size = 2 << 20;
  return table;
}

rocksdb::Options DatabaseOptions() {
  rocksdb::Options options;
  // Of the recovery modes only this one opens after a torn tail, and refuses damage before it. The default,
  // kPointInTimeRecovery, takes the first damaged record for the end and drops acknowledged data without a word.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.max_total_wal_size = 64 << 20;  // bounds the time to open
  options.write_buffer_size = 32 << 20;
  options.max_write_buffer_number = 4;
  options.max_background_jobs = 2;
  options.max_bgerror_resume_count = 0;             // an error is final: whoever holds the store opens it again
  options.allow_concurrent_memtable_write = false;  // there is one writer
  options.level_compaction_dynamic_level_bytes = true;
  options.compression = Best({rocksdb::kLZ4Compression});
  options.bottommost_compression = Best({rocksdb::kZSTD, rocksdb::kLZ4Compression});
  options.bytes_per_sync = 1 << 20;
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.max_log_file_size = 1 << 20;
  options.keep_log_file_num = 4;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(TableOptions()));
  return options;
}

// A creation that was cut short leaves empty files at most: a store has a table file from its creation on.
absl::StatusOr<bool> HoldsData(const std::string& directory) {
  std::error_code failed;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, failed)) {
    const fs::path extension = entry.path().extension();
    if (extension == ".sst" || (extension == ".log" && entry.file_size(failed) > 0)) return true;
  }
  if (!failed) return false;
  return Error(absl::StatusCode::kInternal, reason::kStorageFailed,
               "cannot list " + directory + ": " + failed.message());
}

}  // namespace

absl::StatusOr<Database> OpenDatabase(const std::string& directory) {
  EVERFOLD_ASSIGN_OR_RETURN(const bool holds_data, HoldsData(directory));
  if (holds_data && !fs::exists(fs::path(directory) / "CURRENT")) {
    return DataLoss("the store in " + directory + " has data but no CURRENT file");
  }
  Database database{.files = rocksdb::NewCompositeEnv(std::make_shared<OwnersFiles>()), .rocks = nullptr};
  rocksdb::Options options = DatabaseOptions();
  options.env = database.files.get();
  options.create_if_missing = !holds_data;
  rocksdb::DB* rocks = nullptr;
  EVERFOLD_RETURN_IF_ERROR(
      StatusOf(rocksdb::DB::Open(options, directory, &rocks), "the store in " + directory + " does not open"));
  database.rocks.reset(rocks);
  return database;
}

absl::Status StatusOf(const rocksdb::Status& status, const std::string& what) {
  if (status.ok()) return absl::OkStatus();
  const std::string message = what + ": " + status.ToString();
  if (status.IsCorruption() || status.IsPathNotFound()) return DataLoss(message);
  return Error(absl::StatusCode::kInternal, reason::kStorageFailed, message);
}

absl::Status DataLoss(const std::string& message) {
  return Error(absl::StatusCode::kDataLoss, reason::kDataLoss, message);
}

}  // namespace everfold
