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

#include "everfold/log/files/rocks_final_errors.h"
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

// Tiered, because entries of one name come with every generation: levels would be rewritten, each as a whole, by every
// few generations, and the more often the longer the log is. So runs of entries are merged with those of about their
// size when there are twelve of them: an entry of a log of 50 million is rewritten twice, of 500 million four times.
// Figures: docs/decisions/0014.
void MergeByRuns(rocksdb::ColumnFamilyOptions& options) {
  options.compaction_style = rocksdb::kCompactionStyleUniversal;
  options.level0_file_num_compaction_trigger = 12;
  options.compaction_options_universal.size_ratio = 1;
  options.compaction_options_universal.min_merge_width = 2;
  // Nothing large is ever overwritten, but checkpoint and latest events: there is no dead space to be won by merging
  // everything.
  options.compaction_options_universal.max_size_amplification_percent = 1'000'000;
}

}  // namespace

rocksdb::DBOptions IndexDatabaseOptions(rocksdb::Env* env) {
  rocksdb::DBOptions options;
  options.env = env;
  options.max_background_jobs = 3;  // two merges: small ones go on during a large one
  StopAtFirstError(options);
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
  options.compression = Best({rocksdb::kLZ4Compression});
  // What stays is packed well; but for streams, where it gains little, and a look has to unpack a block of several
  // runs.
  if (kind != EntryKind::kStreams) options.bottommost_compression = Best({rocksdb::kZSTD, rocksdb::kLZ4Compression});
  options.target_file_size_base = 32 << 20;
  MergeByRuns(options);
  return options;
}

}  // namespace everfold
