// RocksDB as the embedded log uses it: its settings, and its errors in our terms.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace rocksdb {
class DB;
class Env;
class Status;
}  // namespace rocksdb

namespace everfold {

struct Database {
  std::unique_ptr<rocksdb::Env> files;
  std::unique_ptr<rocksdb::DB> rocks;  // uses `files` to its end
};

// Creates the database only where there are no data: RocksDB would take a directory without its CURRENT file for an
// empty one, and delete what is in it. Its files are readable for their owner alone.
absl::StatusOr<Database> OpenDatabase(const std::string& directory);

// OK; DATA_LOSS for damaged or missing bytes; else INTERNAL (STORAGE_FAILED). `what` was being done where.
absl::Status StatusOf(const rocksdb::Status& status, const std::string& what);

// DATA_LOSS with the reason of that name.
absl::Status DataLoss(const std::string& message);

}  // namespace everfold
