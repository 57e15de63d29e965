// The machine's files as RocksDB opens them, for their owner alone.
#pragma once

#include <memory>

namespace rocksdb {
class FileSystem;
}  // namespace rocksdb

namespace everfold {

// Threading: thread-safe.
std::shared_ptr<rocksdb::FileSystem> OwnersFiles();

}  // namespace everfold
