#include "everfold/store/index/index_options.h"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <initializer_list>
#include <vector>

#include "everfold/store/index/entry_name.h"
#include "everfold/store/index/index_entries.h"
#include "everfold/store/index/name_prefix.h"

namespace everfold {
namespace {

rocksdb::CompressionType Best(std::initializer_list<rocksdb::CompressionType> wanted) {
  const std::vector<rocksdb::CompressionType> supported = rocksdb::GetSupportedCompressions();
  for (const rocksdb::CompressionType type : wanted) {
    if (std::find(supported.begin(), supported.end(), type) != supported.end()) return type;
  }
  return rocksdb::kNoCompression;
}

// A look for a stream ends in one block, so that it is to be small and quick to unpack.
rocksdb::CompressionType CompressionOf(EntryKind kind) {
  if (kind == EntryKind::kStreams || kind == EntryKind::kLatest) return Best({rocksdb::kLZ4Compression});
  return Best({rocksdb::kZSTD, rocksdb::kLZ4Compression});
}

std::shared_ptr<const rocksdb::SliceTransform> PrefixOf(EntryKind kind) {
  if (kind == EntryKind::kStreams) return NamePrefix(kNamesOfStream);
  if (kind == EntryKind::kTags) return NamePrefix(kNamesOfTag);
  if (kind != EntryKind::kCommands) return nullptr;
  return std::shared_ptr<const rocksdb::SliceTransform>(rocksdb::NewFixedPrefixTransform(kCommandPrefixBytes));
}

// Filters and block indexes are cut into blocks too: in one piece they would be megabytes to be read for one look when
// the cache has no room for all of them.
rocksdb::BlockBasedTableOptions TableOptions(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.format_version = 5;
  table.checksum = rocksdb::kXXH3;
  table.block_size = 4 << 10;
  table.block_cache = cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.whole_key_filtering = false;
  table.cache_index_and_filter_blocks = true;
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  table.pin_top_level_index_and_filter = true;
  return table;
}

}  // namespace

rocksdb::DBOptions IndexDatabaseOptions(rocksdb::Env* env) {
  rocksdb::DBOptions options;
  options.env = env;
  options.max_background_jobs = 2;
  options.max_bgerror_resume_count = 0;  // an error is final: whoever holds the index opens it again
  options.bytes_per_sync = 1 << 20;
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.max_log_file_size = 1 << 20;
  options.keep_log_file_num = 4;
  return options;
}

rocksdb::ColumnFamilyOptions EntryOptions(EntryKind kind, const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(TableOptions(cache)));
  options.prefix_extractor = PrefixOf(kind);
  options.compression = CompressionOf(kind);
  // Leveled, because entries of one stream come with every generation, and a look for it must not meet many files:
  // half the time of universal compaction with four runs, for a fifth more bytes written.
  options.level_compaction_dynamic_level_bytes = true;
  options.level0_file_num_compaction_trigger = 4;
  options.max_bytes_for_level_base = 64 << 20;
  options.target_file_size_base = 32 << 20;
  return options;
}

}  // namespace everfold
