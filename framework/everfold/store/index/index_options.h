// How RocksDB is set up for the index.
#pragma once

#include <memory>

#include "everfold/store/index/entry_kind.h"

namespace rocksdb {
class Cache;
class Env;
struct ColumnFamilyOptions;
struct DBOptions;
}  // namespace rocksdb

namespace everfold {

rocksdb::DBOptions IndexDatabaseOptions(rocksdb::Env* env);
rocksdb::ColumnFamilyOptions EntryOptions(EntryKind kind, const std::shared_ptr<rocksdb::Cache>& cache);

}  // namespace everfold
