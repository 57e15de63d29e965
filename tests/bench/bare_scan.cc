#include "tests/bench/bare_scan.h"

#include <rocksdb/db.h>

#include <utility>

#include "everfold/base/status.h"
#include "everfold/event/chunk_reader.h"
#include "everfold/log/embedded/chunk_key.h"
#include "tests/bench/log_replay.h"

namespace everfold::bench {
namespace {

absl::Status Checked(const rocksdb::Status& status) {
  return status.ok() ? absl::OkStatus() : absl::InternalError("RocksDB: " + status.ToString());
}

rocksdb::ReadOptions ScanOptions(const rocksdb::Slice& end) {
  rocksdb::ReadOptions options;
  options.readahead_size = 2 << 20;
  options.fill_cache = false;
  options.iterate_upper_bound = &end;
  return options;
}

}  // namespace

SealedFiles::SealedFiles() = default;

absl::StatusOr<std::unique_ptr<SealedFiles>> SealedFiles::Open(const std::string& log_directory) {
  std::unique_ptr<SealedFiles> files(new SealedFiles);
  const std::vector<rocksdb::ColumnFamilyDescriptor> families = {{rocksdb::kDefaultColumnFamilyName, {}},
                                                                 {"checkpoint", {}}};
  rocksdb::DB* rocks = nullptr;
  rocksdb::DBOptions options;
  options.max_open_files = -1;  // all of them from now on: the store may merge files, and delete them
  EVERFOLD_RETURN_IF_ERROR(
      Checked(rocksdb::DB::OpenForReadOnly(options, log_directory + "/sealed", families, &files->families_, &rocks)));
  files->rocks_.reset(rocks);
  return files;
}

SealedFiles::~SealedFiles() {
  for (rocksdb::ColumnFamilyHandle* family : families_) rocks_->DestroyColumnFamilyHandle(family);
}

absl::Status SealedFiles::ForEachChunk(PartitionId partition,
                                       absl::FunctionRef<absl::Status(std::string_view)> visit) const {
  const std::string begin = BeginOfPartition(partition);
  const std::string end = BeginOfPartition(PartitionId(partition.value() + 1));
  const rocksdb::Slice bound(end);
  const std::unique_ptr<rocksdb::Iterator> iterator(rocks_->NewIterator(ScanOptions(bound), families_.front()));
  for (iterator->Seek(begin); iterator->Valid(); iterator->Next()) {
    const rocksdb::Slice chunk = iterator->value();
    EVERFOLD_RETURN_IF_ERROR(visit(std::string_view(chunk.data(), chunk.size())));
  }
  return Checked(iterator->status());
}

void BareScan::Places::Add(std::string_view chunk, std::string_view payload) {
  payloads.push_back(
      {static_cast<std::uint32_t>(payload.data() - chunk.data()), static_cast<std::uint32_t>(payload.size())});
}

absl::StatusOr<std::unique_ptr<BareScan>> BareScan::Learn(const std::string& log_directory, std::uint32_t partitions,
                                                          const TypeDictionary& types) {
  std::unique_ptr<BareScan> scan(new BareScan);
  EVERFOLD_ASSIGN_OR_RETURN(scan->files_, SealedFiles::Open(log_directory));
  scan->partitions_.resize(partitions);
  for (std::uint32_t i = 0; i < partitions; ++i) {
    const TypeId wanted = types.IdOf(PartitionId(i), WantedType());
    EVERFOLD_RETURN_IF_ERROR(scan->files_->ForEachChunk(
        PartitionId(i), [&](std::string_view chunk) { return LearnChunk(chunk, wanted, scan->partitions_[i]); }));
  }
  return scan;
}

absl::Status BareScan::LearnChunk(std::string_view bytes, TypeId wanted, Partition& partition) {
  EVERFOLD_ASSIGN_OR_RETURN(ChunkReader chunk, ChunkReader::Open(bytes));
  while (chunk.NextCommit()) {
    while (chunk.NextStream()) {
      while (chunk.NextEvent()) {
        partition.all.Add(bytes, chunk.event().payload);
        if (chunk.event().type == wanted) partition.wanted.Add(bytes, chunk.event().payload);
      }
    }
  }
  partition.all.ends.push_back(partition.all.payloads.size());
  partition.wanted.ends.push_back(partition.wanted.payloads.size());
  return chunk.status();
}

absl::StatusOr<ReplayResult> BareScan::Scan(Replay replay, int threads) const {
  return OverPartitions(static_cast<std::uint32_t>(partitions_.size()), threads, replay,
                        [&](std::uint32_t number, ReplaySink& sink) { return ScanPartition(number, replay, sink); });
}

absl::Status BareScan::ForEachPayload(absl::FunctionRef<absl::Status(std::string_view)> visit) const {
  for (std::uint32_t number = 0; number < partitions_.size(); ++number) {
    const Places& places = partitions_[number].all;
    std::size_t next = 0;
    auto end = places.ends.begin();
    EVERFOLD_RETURN_IF_ERROR(files_->ForEachChunk(PartitionId(number), [&](std::string_view chunk) -> absl::Status {
      if (end == places.ends.end()) return absl::InternalError("there are more chunks than there were");
      for (const std::size_t stop = *end++; next < stop; ++next) {
        EVERFOLD_RETURN_IF_ERROR(visit(chunk.substr(places.payloads[next].begin, places.payloads[next].size)));
      }
      return absl::OkStatus();
    }));
  }
  return absl::OkStatus();
}

absl::Status BareScan::ScanPartition(std::uint32_t number, Replay replay, ReplaySink& sink) const {
  const Partition& partition = partitions_[number];
  const Places& places = replay == Replay::kParseOne ? partition.wanted : partition.all;
  std::size_t next = 0;
  auto end = places.ends.begin();
  return files_->ForEachChunk(PartitionId(number), [&](std::string_view chunk) -> absl::Status {
    sink.TakeChunk(chunk);
    if (replay == Replay::kChunks) return absl::OkStatus();
    if (end == places.ends.end()) return absl::InternalError("there are more chunks than there were");
    for (const std::size_t stop = *end++; next < stop; ++next) {
      const Place& place = places.payloads[next];
      EVERFOLD_RETURN_IF_ERROR(sink.TakeEvent(chunk.substr(place.begin, place.size)));
    }
    return absl::OkStatus();
  });
}

}  // namespace everfold::bench
