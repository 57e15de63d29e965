// What can still be read of a damaged store: chunks of sealed files, each opened on its own, and of the journal.
//
// RocksDB's own lists of files (CURRENT, MANIFEST) are not needed: a chunk says itself which one it is, and the chain
// proves it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/chunk_header.h"
#include "everfold/log/embedded/chunk_key.h"
#include "everfold/log/embedded/sealed_checkpoint.h"
#include "everfold/log/files/files.h"

namespace rocksdb {
class Env;
class Iterator;
struct Options;
class SstFileReader;
}  // namespace rocksdb

namespace everfold {

// Threading: one thread. Changes nothing in the store.
class SalvageChunks {
 public:
  SalvageChunks(Files& files, std::string store, const LogIdentity& identity);
  ~SalvageChunks();

  // Looks what there is. Damage is noted, and no error.
  absl::Status Find();

  // The chunk that follows on `at`, if it is there and proven: its checksum holds and its chain continues `at`.
  std::optional<std::string> Next(PartitionId partition, const PartitionHead& at);
  // True if there is, or was, something behind `at`.
  bool HadMore(PartitionId partition, const PartitionHead& at) const;

  // The number of the last chunk that there is, or was, as far as anything tells.
  std::uint64_t LastKnown(PartitionId partition) const { return last_known_[partition.value()]; }

  // In words: what could not be read.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  struct SealedFile {
    std::string path;
    ChunkKey first;
    ChunkKey last;
  };
  // A file that is being walked.
  struct Walk {
    std::unique_ptr<rocksdb::SstFileReader> reader;
    std::unique_ptr<rocksdb::Iterator> at;
  };

  absl::Status FindSealed();
  void LookInto(const std::string& path);
  void FindJournal();
  std::unique_ptr<rocksdb::SstFileReader> OpenFile(const std::string& path, std::string& why) const;
  std::optional<std::string> NextSealed(PartitionId partition, const PartitionHead& at);
  std::optional<std::string> FromWalk(Walk& walk, PartitionId partition, const PartitionHead& at) const;

  Files& files_;
  const std::string store_;
  const LogIdentity identity_;
  const std::unique_ptr<rocksdb::Env> env_;
  const std::unique_ptr<rocksdb::Options> options_;
  SealedCheckpoint checkpoint_;
  std::vector<SealedFile> sealed_;
  std::map<std::uint32_t, Walk> walks_;                                     // by partition
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::string> journal_;  // by partition and chunk number
  std::vector<std::uint64_t> last_known_;                                   // chunk number, by partition
  std::vector<std::string> notes_;
};

}  // namespace everfold
