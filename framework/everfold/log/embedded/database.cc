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
#include "everfold/log/files/rocks_final_errors.h"

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

// A seal is on the path of a busy store: it packs fast. It reads back what it has packed seldom, so that blocks may be
// large, which suits a scan. Merged files are packed in idle time, and stay: a dictionary for each file makes up for
// smaller blocks, in which one event is found sooner. Figures: docs/decisions/0010.
constexpr std::size_t kSealedBlockBytes = 128 << 10;
constexpr int kSealedZstdLevel = -3;
constexpr std::size_t kMergedBlockBytes = 64 << 10;
constexpr int kMergedZstdLevel = 1;
constexpr std::uint32_t kDictionaryBytes = 16 << 10;
constexpr std::uint64_t kDictionarySampledBytes = 4 << 20;  // of a file's begin, kept in memory until it is made

rocksdb::BlockBasedTableOptions TableOptions(std::size_t block_bytes) {
  rocksdb::BlockBasedTableOptions table;
  table.format_version = 5;
  table.checksum = rocksdb::kXXH3;
  table.block_size = block_bytes;
  table.block_cache = rocksdb::NewLRUCache(kCacheBytes);
  // Bounded memory however many files there are.
  table.cache_index_and_filter_blocks = true;
  return table;
}

void PackMerged(rocksdb::Options& options) {
  options.compression_opts.level = kMergedZstdLevel;
  options.compression_opts.max_dict_bytes = kDictionaryBytes;
  options.compression_opts.max_dict_buffer_bytes = kDictionarySampledBytes;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(TableOptions(kMergedBlockBytes)));
}

void PackSealed(rocksdb::Options& options) {
  options.compression_opts = rocksdb::CompressionOptions();
  options.compression_opts.level = kSealedZstdLevel;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(TableOptions(kSealedBlockBytes)));
}

rocksdb::Options DatabaseOptions() {
  rocksdb::Options options;
  options.create_missing_column_families = true;
  options.max_background_jobs = 2;
  StopAtFirstError(options);
  options.max_open_files = kOpenFiles;
  options.skip_stats_update_on_db_open = true;
  options.disable_auto_compactions = true;  // keys only grow, so there is nothing to sort; Merge does the rest
  options.compression = Best({rocksdb::kZSTD, rocksdb::kLZ4Compression});
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.max_log_file_size = 1 << 20;
  options.keep_log_file_num = 4;
  options.write_buffer_size = 1 << 20;                                             // stays empty
  options.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();  // of whole files, in the MANIFEST
  PackMerged(options);
  return options;
}

rocksdb::ColumnFamilyOptions CheckpointOptions(const rocksdb::Options& options) {
  rocksdb::ColumnFamilyOptions checkpoint(options);
  checkpoint.compression_opts.max_dict_bytes = 0;
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
  database->seal_options_ = std::make_unique<rocksdb::Options>(*database->options_);
  PackSealed(*database->seal_options_);
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
