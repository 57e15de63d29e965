#include "everfold/log/embedded/database.h"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/file_system.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <vector>

#include "everfold/base/status.h"
#include "everfold/log/embedded/storage_error.h"
#include "everfold/log/files/fail_stop.h"

namespace everfold {
namespace {

constexpr std::size_t kCacheBytes = 32 << 20;
constexpr int kOpenFiles = 512;

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
  table.block_size = 32 << 10;
  table.block_cache = rocksdb::NewLRUCache(kCacheBytes);
  // Bounded memory however many files there are.
  table.cache_index_and_filter_blocks = true;
  // Readahead grows with the length of a scan, up to this: a replay gets long reads, a short read pays nothing.
  table.max_auto_readahead_size = 2 << 20;
  return table;
}

rocksdb::Options DatabaseOptions() {
  rocksdb::Options options;
  options.create_missing_column_families = true;
  options.max_background_jobs = 2;
  options.max_bgerror_resume_count = 0;  // an error is final: whoever holds the store opens it again
  options.max_open_files = kOpenFiles;
  options.skip_stats_update_on_db_open = true;
  options.disable_auto_compactions = true;  // keys only grow, so there is nothing to sort; Merge does the rest
  options.compression = Best({rocksdb::kZSTD, rocksdb::kLZ4Compression});
  options.compression_opts.level = 1;
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.max_log_file_size = 1 << 20;
  options.keep_log_file_num = 4;
  options.write_buffer_size = 1 << 20;                                             // stays empty
  options.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();  // of whole files, in the MANIFEST
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(TableOptions()));
  return options;
}

rocksdb::ColumnFamilyOptions CheckpointOptions(const rocksdb::Options& options) {
  rocksdb::ColumnFamilyOptions checkpoint(options);
  checkpoint.disable_auto_compactions = false;  // each seal writes the same key
  return checkpoint;
}

std::vector<rocksdb::ColumnFamilyDescriptor> Families(const rocksdb::Options& options) {
  return {{rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions(options)},
          {"checkpoint", CheckpointOptions(options)}};
}

}  // namespace

std::string IncomingDirectory(const std::string& directory) { return directory + ".incoming"; }

SealedDatabase::SealedDatabase() = default;

absl::StatusOr<std::unique_ptr<SealedDatabase>> SealedDatabase::Open(Files& files, const std::string& directory,
                                                                     bool create) {
  if (create) EVERFOLD_RETURN_IF_ERROR(files.RemoveAll(directory));
  if (create) EVERFOLD_RETURN_IF_ERROR(files.MakeDirectory(directory));  // RocksDB does not make its name durable
  if (!create && !files.Exists(directory + "/CURRENT")) {
    return DataLoss("the sealed chunks in " + directory + " have no CURRENT file");
  }
  std::unique_ptr<SealedDatabase> database(new SealedDatabase);
  database->env_ = rocksdb::NewCompositeEnv(FailStop(files.ForRocksDb(), IncomingDirectory(directory)));
  database->options_ = std::make_unique<rocksdb::Options>(DatabaseOptions());
  database->options_->env = database->env_.get();
  database->options_->create_if_missing = create;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* rocks = nullptr;
  EVERFOLD_RETURN_IF_ERROR(StatusOf(rocksdb::DB::Open(rocksdb::DBOptions(*database->options_), directory,
                                                      Families(*database->options_), &handles, &rocks),
                                    "the sealed chunks in " + directory + " do not open"));
  database->Take(rocks, handles);
  return database;
}

absl::StatusOr<std::unique_ptr<SealedDatabase>> SealedDatabase::OpenReadOnly(rocksdb::Env& env,
                                                                             const std::string& directory) {
  std::unique_ptr<SealedDatabase> database(new SealedDatabase);
  database->options_ = std::make_unique<rocksdb::Options>(DatabaseOptions());
  database->options_->env = &env;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* rocks = nullptr;
  EVERFOLD_RETURN_IF_ERROR(StatusOf(rocksdb::DB::OpenForReadOnly(rocksdb::DBOptions(*database->options_), directory,
                                                                 Families(*database->options_), &handles, &rocks),
                                    "the sealed chunks in " + directory + " do not open"));
  database->Take(rocks, handles);
  return database;
}

void SealedDatabase::Take(rocksdb::DB* rocks, const std::vector<rocksdb::ColumnFamilyHandle*>& handles) {
  rocks_.reset(rocks);
  chunks_ = handles[0];
  checkpoint_ = handles[1];
}

SealedDatabase::~SealedDatabase() {
  if (rocks_ == nullptr) return;
  rocks_->DestroyColumnFamilyHandle(chunks_);
  rocks_->DestroyColumnFamilyHandle(checkpoint_);
}

}  // namespace everfold
