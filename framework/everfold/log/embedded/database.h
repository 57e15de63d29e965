// RocksDB as the log uses it: its settings.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "everfold/log/files/files.h"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Env;
struct Options;
}  // namespace rocksdb

namespace everfold {

// Where files are written that are then ingested into the database in `directory`.
std::string IncomingDirectory(const std::string& directory);

// The sealed chunks, in the default column family, and their checkpoint. Not movable: RocksDB holds on to its parts.
class SealedDatabase {
 public:
  // `create`: new and empty, in place of anything that is there. INTERNAL, DATA_LOSS or STORE_LOCKED as StatusOf says.
  static absl::StatusOr<std::unique_ptr<SealedDatabase>> Open(Files& files, const std::string& directory, bool create);
  // Of an environment that holds it, as a backup does; it outlives the database. Nothing is written.
  static absl::StatusOr<std::unique_ptr<SealedDatabase>> OpenReadOnly(rocksdb::Env& env, const std::string& directory);
  ~SealedDatabase();
  SealedDatabase(const SealedDatabase&) = delete;
  SealedDatabase& operator=(const SealedDatabase&) = delete;

  rocksdb::DB& rocks() const { return *rocks_; }
  rocksdb::ColumnFamilyHandle* chunks() const { return chunks_; }
  rocksdb::ColumnFamilyHandle* checkpoint() const { return checkpoint_; }
  const rocksdb::Options& options() const { return *options_; }
  // Of the files that a seal writes. REQUIRES: opened by Open.
  const rocksdb::Options& seal_options() const { return *seal_options_; }

 private:
  SealedDatabase();
  void Take(rocksdb::DB* rocks, const std::vector<rocksdb::ColumnFamilyHandle*>& handles);

  std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<rocksdb::Options> options_;
  std::unique_ptr<rocksdb::Options> seal_options_;
  std::unique_ptr<rocksdb::DB> rocks_;
  rocksdb::ColumnFamilyHandle* chunks_ = nullptr;
  rocksdb::ColumnFamilyHandle* checkpoint_ = nullptr;
};

}  // namespace everfold
