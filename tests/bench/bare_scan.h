// The ceiling of a replay: RocksDB's iterators over the same files. It has been told where in a chunk the payloads are,
// checks nothing and decodes nothing but them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/event_type.h"
#include "everfold/log/partition_log.h"
#include "tests/bench/replay_work.h"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
}  // namespace rocksdb

namespace everfold::bench {

// RocksDB alone, opened for reading. The store may be open, too; its later files are not seen.
class SealedFiles {
 public:
  static absl::StatusOr<std::unique_ptr<SealedFiles>> Open(const std::string& log_directory);
  ~SealedFiles();

  // Calls `visit` for every chunk of the partition, until it returns an error, which is then the result.
  absl::Status ForEachChunk(PartitionId partition, absl::FunctionRef<absl::Status(std::string_view)> visit) const;

 private:
  SealedFiles();

  std::unique_ptr<rocksdb::DB> rocks_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
};

// Threading: thread-safe.
class BareScan {
 public:
  // Reads everything once, by way of the log's own dictionary and decoder, to learn where the payloads are.
  static absl::StatusOr<std::unique_ptr<BareScan>> Learn(const std::string& log_directory, std::uint32_t partitions,
                                                         const TypeDictionary& types);

  absl::StatusOr<ReplayResult> Scan(Replay replay, int threads) const;
  // Partition after partition, on this thread, until `visit` returns an error, which is then the result.
  absl::Status ForEachPayload(absl::FunctionRef<absl::Status(std::string_view)> visit) const;

 private:
  struct Place {
    std::uint32_t begin = 0;
    std::uint32_t size = 0;
  };
  // Of one partition.
  struct Places {
    std::vector<Place> payloads;
    std::vector<std::size_t> ends;  // for each chunk, how many payloads there are up to its end
    void Add(std::string_view chunk, std::string_view payload);
  };
  struct Partition {
    Places all;
    Places wanted;
  };

  BareScan() = default;
  static absl::Status LearnChunk(std::string_view bytes, TypeId wanted, Partition& partition);
  absl::Status ScanPartition(std::uint32_t number, Replay replay, ReplaySink& sink) const;

  std::unique_ptr<SealedFiles> files_;
  std::vector<Partition> partitions_;
};

}  // namespace everfold::bench
