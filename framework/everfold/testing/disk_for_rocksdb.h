// The disk of a session as RocksDB wants it.
#pragma once

#include <memory>

#include "everfold/testing/disk_session.h"

namespace rocksdb {
class FileSystem;
}  // namespace rocksdb

namespace everfold {

// Threading: thread-safe; RocksDB has threads of its own.
std::shared_ptr<rocksdb::FileSystem> DiskForRocksDb(std::shared_ptr<DiskSession> session);

}  // namespace everfold
