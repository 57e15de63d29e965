#include "everfold/log/embedded/sealed_chunks.h"

#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/metadata.h>
#include <rocksdb/sst_file_writer.h>

#include <algorithm>
#include <optional>

#include "absl/strings/str_format.h"
#include "everfold/base/mutex.h"
#include "everfold/base/status.h"
#include "everfold/event/chunk_header.h"
#include "everfold/log/embedded/chunk_key.h"
#include "everfold/log/embedded/database.h"
#include "everfold/log/embedded/storage_error.h"
#include "everfold/log/files/rocks_iterator.h"

namespace everfold {
namespace {

constexpr char kCheckpointKey[] = "sealed";

// A partition's small files are merged once there are so many of them, or so many bytes. What was merged and is still
// small is merged again when as much has followed it, so that a byte is rewritten about twice.
constexpr std::uint64_t kSmallFileBytes = 64 << 20;
constexpr std::size_t kMergeFiles = 8;
constexpr std::uint64_t kMergedFileBytes = 256 << 20;

std::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

// The header of the chunk under the iterator. REQUIRES: the iterator is valid.
absl::Status ReadHeader(const rocksdb::Iterator& at, PartitionId partition, ChunkHeader& header) {
  const std::optional<ChunkKey> key = DecodeChunkKey(View(at.key()));
  if (!key.has_value() || key->partition != partition) {
    return DataLoss(absl::StrFormat("partition %d has a key that is no chunk's", partition.value()));
  }
  EVERFOLD_RETURN_IF_ERROR(DecodeChunkHeader(View(at.value()), header));
  const ChunkKey said{header.partition, header.last_offset(), header.chunk_number};
  if (said != *key) {
    return DataLoss(absl::StrFormat("partition %d has chunk %d at offset %d in the place of chunk %d at offset %d",
                                    partition.value(), said.chunk_number, said.last_offset.value(), key->chunk_number,
                                    key->last_offset.value()));
  }
  return absl::OkStatus();
}

// What is read once in passing, as a replay does, takes no room in the cache from what is read again, and is fetched in
// long pieces. RocksDB holds on to one, and somebody who reads all partitions and has stalled holds that of each.
constexpr std::size_t kShortReadBytes = 256 << 10;
constexpr std::size_t kReadAheadBytes = 256 << 10;
// Of a file that is read from its begin to its end, by one reader.
constexpr std::size_t kWholeFileReadAheadBytes = 2 << 20;

class RocksCursor final : public SealedCursor {
 public:
  RocksCursor(const SealedDatabase& database, PartitionId partition, Offset after, std::uint64_t from)
      : database_(database),
        partition_(partition),
        seek_(EncodeChunkKey({partition, from != 0 ? after : (after == Offset(0) ? after : after.Next()), from})),
        end_key_(BeginOfPartition(PartitionId(partition.value() + 1))),
        end_(end_key_),
        iterator_(NewIterator(IteratorOptions())) {}

  absl::StatusOr<bool> Next() override {
    Move();
    if (!iterator_->Valid()) {
      EVERFOLD_RETURN_IF_ERROR(
          StatusOf(iterator_->status(), absl::StrFormat("reading partition %d failed", partition_.value())));
      return false;
    }
    EVERFOLD_RETURN_IF_ERROR(ReadHeader(*iterator_, partition_, header_));
    return true;
  }
  std::string_view chunk() const override { return View(iterator_->value()); }
  PartitionHead head() const override { return {header_.last_offset(), header_.chunk_number, header_.chain}; }
  const ChunkHeader& header() const override { return header_; }

 private:
  std::unique_ptr<rocksdb::Iterator> NewIterator(rocksdb::ReadOptions options) const {
    options.iterate_upper_bound = &end_;
    return std::unique_ptr<rocksdb::Iterator>(database_.rocks().NewIterator(options, database_.chunks()));
  }

  void Move() {
    if (!started_) return Begin();
    if (!scanning_ && (short_read_bytes_ += iterator_->value().size()) > kShortReadBytes) Scan();
    iterator_->Next();
  }

  void Begin() {
    started_ = true;
    iterator_->Seek(seek_);
  }

  // Goes on from the same chunk. It is still there: what is sealed stays.
  void Scan() {
    scanning_ = true;
    rocksdb::ReadOptions options = IteratorOptions();
    options.fill_cache = false;
    options.readahead_size = kReadAheadBytes;
    std::unique_ptr<rocksdb::Iterator> scan = NewIterator(options);
    scan->Seek(iterator_->key());
    if (scan->Valid() && scan->key() == iterator_->key()) iterator_ = std::move(scan);
  }

  const SealedDatabase& database_;
  const PartitionId partition_;
  const std::string seek_;
  const std::string end_key_;
  const rocksdb::Slice end_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
  ChunkHeader header_;
  std::size_t short_read_bytes_ = 0;
  bool started_ = false;
  bool scanning_ = false;
};

class RocksSealedChunks final : public SealedChunks {
 public:
  RocksSealedChunks(Files& files, std::string directory, const LogIdentity& identity,
                    std::unique_ptr<SealedDatabase> database)
      : files_(files),
        incoming_(IncomingDirectory(directory)),
        epoch_(identity.epoch),
        database_(std::move(database)) {}

  absl::Status Create(std::uint32_t partitions) {
    EVERFOLD_RETURN_IF_ERROR(MakeIncoming());
    return Seal(std::vector<std::vector<TailChunkPtr>>(partitions),
                {.group = {}, .heads = std::vector<PartitionHead>(partitions)});
  }

  // The checkpoint alone is written anew, by an ingest of its own.
  absl::Status LoadUnder(const Epoch& before, std::uint32_t partitions) {
    EVERFOLD_RETURN_IF_ERROR(MakeIncoming());
    EVERFOLD_ASSIGN_OR_RETURN(const SealedCheckpoint checkpoint, ReadSealedCheckpoint(*database_, before, partitions));
    EVERFOLD_RETURN_IF_ERROR(CheckHeads(checkpoint.heads));
    return Seal(std::vector<std::vector<TailChunkPtr>>(partitions), checkpoint);
  }

  absl::Status Load(std::uint32_t partitions) {
    EVERFOLD_RETURN_IF_ERROR(MakeIncoming());
    MutexLock lock(&mutex_);
    EVERFOLD_ASSIGN_OR_RETURN(checkpoint_, ReadCheckpoint(partitions));
    return CheckHeads(checkpoint_.heads);
  }

  SealedCheckpoint checkpoint() const override {
    MutexLock lock(&mutex_);
    return checkpoint_;
  }

  absl::Status Seal(const std::vector<std::vector<TailChunkPtr>>& chunks, const SealedCheckpoint& checkpoint) override {
    rocksdb::IngestExternalFileArg new_chunks = Arguments(database_->chunks());
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      if (chunks[i].empty()) continue;
      EVERFOLD_RETURN_IF_ERROR(WriteChunks(PartitionId(static_cast<std::uint32_t>(i)), chunks[i], new_chunks));
    }
    rocksdb::IngestExternalFileArg new_checkpoint = Arguments(database_->checkpoint());
    EVERFOLD_RETURN_IF_ERROR(WriteCheckpoint(checkpoint, new_checkpoint));
    std::vector<rocksdb::IngestExternalFileArg> all = {new_checkpoint};
    if (!new_chunks.external_files.empty()) all.push_back(new_chunks);
    const rocksdb::Status ingested = database_->rocks().IngestExternalFiles(all);
    // By now some of it may be there: only an opening can tell.
    if (!ingested.ok()) return Error(absl::StatusCode::kInternal, reason::kStorageFailed, ingested.ToString());
    EVERFOLD_RETURN_IF_ERROR(CheckSealed(chunks, checkpoint));
    MutexLock lock(&mutex_);
    checkpoint_ = checkpoint;
    return absl::OkStatus();
  }

  absl::StatusOr<bool> Merge(const MergeLimits& limits) override {
    std::uint64_t merged = 0;
    while (merged < limits.bytes) {
      const Run run = RunToMerge(limits);
      if (run.files.empty() || run.bytes > limits.room_bytes) break;
      EVERFOLD_RETURN_IF_ERROR(CheckRun(run));
      EVERFOLD_RETURN_IF_ERROR(MergeRun(run));
      merged += run.bytes;
    }
    return merged > 0;
  }

  std::unique_ptr<SealedCursor> Read(PartitionId partition, Offset after, std::uint64_t from) const override {
    return std::make_unique<RocksCursor>(*database_, partition, after, from);
  }

  absl::Status VerifyChecksums() const override {
    return StatusOf(database_->rocks().VerifyFileChecksums({}), "checking the sealed files failed");
  }

  const SealedDatabase& database() const override { return *database_; }

  Size size() const override {
    Size size;
    for (const rocksdb::LiveFileMetaData& file : LiveFiles()) {
      ++size.files;
      size.bytes += file.size;
    }
    return size;
  }

 private:
  static rocksdb::IngestExternalFileArg Arguments(rocksdb::ColumnFamilyHandle* family) {
    rocksdb::IngestExternalFileArg arguments;
    arguments.column_family = family;
    arguments.options.move_files = true;
    arguments.options.write_global_seqno = false;
    arguments.options.verify_file_checksum = false;
    return arguments;
  }

  // Files on their way in; what a crash left of them is of no use.
  absl::Status MakeIncoming() {
    EVERFOLD_RETURN_IF_ERROR(files_.RemoveAll(incoming_));
    return files_.MakeDirectory(incoming_);
  }

  std::string IncomingFile() { return absl::StrFormat("%s/%d.sst", incoming_, ++incoming_files_); }

  absl::Status WriteChunks(PartitionId partition, const std::vector<TailChunkPtr>& chunks,
                           rocksdb::IngestExternalFileArg& written) {
    rocksdb::SstFileWriter writer(rocksdb::EnvOptions(), database_->seal_options(), database_->chunks());
    const std::string path = IncomingFile();
    rocksdb::Status status = writer.Open(path);
    for (const TailChunkPtr& chunk : chunks) {
      if (!status.ok()) break;
      status = writer.Put(EncodeChunkKey({partition, chunk->head.offset, chunk->head.chunk_number}), *chunk->bytes);
    }
    return Finish(writer, path, status, written);
  }

  absl::Status WriteCheckpoint(const SealedCheckpoint& checkpoint, rocksdb::IngestExternalFileArg& written) {
    rocksdb::SstFileWriter writer(rocksdb::EnvOptions(), database_->seal_options(), database_->checkpoint());
    const std::string path = IncomingFile();
    rocksdb::Status status = writer.Open(path);
    if (status.ok()) status = writer.Put(kCheckpointKey, EncodeSealedCheckpoint(checkpoint, epoch_));
    return Finish(writer, path, status, written);
  }

  // The file's checksum, taken while it was written, goes with it: RocksDB would read the file again to make one.
  static absl::Status Finish(rocksdb::SstFileWriter& writer, const std::string& path, rocksdb::Status status,
                             rocksdb::IngestExternalFileArg& written) {
    rocksdb::ExternalSstFileInfo file;
    if (status.ok()) status = writer.Finish(&file);
    written.external_files.push_back(path);
    written.files_checksums.push_back(file.file_checksum);
    written.files_checksum_func_names.push_back(file.file_checksum_func_name);
    return StatusOf(status, "writing " + path);
  }

  // That everything is there. RocksDB takes a file for empty that it could not read while it ingested it.
  absl::Status CheckSealed(const std::vector<std::vector<TailChunkPtr>>& chunks,
                           const SealedCheckpoint& checkpoint) const {
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      if (chunks[i].empty()) continue;
      const PartitionId partition(static_cast<std::uint32_t>(i));
      EVERFOLD_RETURN_IF_ERROR(CheckStored(partition, *chunks[i].front()));
      EVERFOLD_RETURN_IF_ERROR(CheckStored(partition, *chunks[i].back()));
    }
    EVERFOLD_ASSIGN_OR_RETURN(const SealedCheckpoint stored, ReadCheckpoint(static_cast<std::uint32_t>(chunks.size())));
    if (stored == checkpoint) return absl::OkStatus();
    return Error(absl::StatusCode::kInternal, reason::kStorageFailed, "RocksDB lost a checkpoint while ingesting it");
  }

  absl::Status CheckStored(PartitionId partition, const TailChunk& chunk) const {
    rocksdb::PinnableSlice stored;
    EVERFOLD_RETURN_IF_ERROR(StatusOf(
        database_->rocks().Get({}, database_->chunks(),
                               EncodeChunkKey({partition, chunk.head.offset, chunk.head.chunk_number}), &stored),
        absl::StrFormat("reading back chunk %d of partition %d failed", chunk.head.chunk_number, partition.value())));
    if (View(stored) == *chunk.bytes) return absl::OkStatus();
    return DataLoss(
        absl::StrFormat("chunk %d of partition %d is not what was sealed", chunk.head.chunk_number, partition.value()));
  }

  absl::StatusOr<SealedCheckpoint> ReadCheckpoint(std::uint32_t partitions) const {
    return ReadSealedCheckpoint(*database_, epoch_, partitions);
  }

  // That each partition ends where the checkpoint says it does.
  absl::Status CheckHeads(const std::vector<PartitionHead>& heads) const {
    const std::unique_ptr<rocksdb::Iterator> at(database_->rocks().NewIterator(IteratorOptions(), database_->chunks()));
    for (std::uint32_t i = 0; i < heads.size(); ++i) {
      EVERFOLD_ASSIGN_OR_RETURN(const PartitionHead head, LastHead(*at, PartitionId(i)));
      if (head == heads[i]) continue;
      return DataLoss(absl::StrFormat(
          "partition %d is sealed up to chunk %d (offset %d), but its sealed chunks end with chunk %d (offset %d)", i,
          heads[i].chunk_number, heads[i].offset.value(), head.chunk_number, head.offset.value()));
    }
    return absl::OkStatus();
  }

  static absl::StatusOr<PartitionHead> LastHead(rocksdb::Iterator& at, PartitionId partition) {
    at.SeekForPrev(BeginOfPartition(PartitionId(partition.value() + 1)));
    EVERFOLD_RETURN_IF_ERROR(
        StatusOf(at.status(), absl::StrFormat("reading the end of partition %d failed", partition.value())));
    if (!at.Valid() || !View(at.key()).starts_with(BeginOfPartition(partition))) return PartitionHead();
    ChunkHeader header;
    EVERFOLD_RETURN_IF_ERROR(ReadHeader(at, partition, header));
    return PartitionHead{header.last_offset(), header.chunk_number, header.chain};
  }

  std::vector<rocksdb::LiveFileMetaData> LiveFiles() const {
    std::vector<rocksdb::LiveFileMetaData> files;
    database_->rocks().GetLiveFilesMetaData(&files);
    std::erase_if(files, [this](const rocksdb::LiveFileMetaData& file) {
      return file.column_family_name != database_->chunks()->GetName();
    });
    std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.smallestkey < b.smallestkey; });
    return files;
  }

  // Small files of one partition, one behind the other.
  struct Run {
    std::string partition;
    std::vector<std::string> files;
    std::uint64_t bytes = 0;
    std::uint64_t largest = 0;

    bool worth_merging(std::uint64_t enough_bytes) const {
      return files.size() > 1 && (bytes >= enough_bytes || (files.size() >= kMergeFiles && bytes >= 2 * largest));
    }
  };

  // The first run that is worth a merge; without files if there is none.
  Run RunToMerge(const MergeLimits& limits) const {
    const std::vector<rocksdb::LiveFileMetaData> files = LiveFiles();
    const auto is_small = [](const rocksdb::LiveFileMetaData& file) { return file.size < kSmallFileBytes; };
    const auto small_files = std::count_if(files.begin(), files.end(), is_small);
    if (static_cast<std::uint64_t>(small_files) <= limits.above_small_files) return {};
    Run run;
    for (const rocksdb::LiveFileMetaData& file : files) {
      const std::string partition = file.smallestkey.substr(0, BeginOfPartition(PartitionId(0)).size());
      const bool small = is_small(file);
      if (!small || partition != run.partition || run.bytes >= limits.bytes) {
        if (run.worth_merging(limits.bytes)) return run;
        run = {.partition = partition, .files = {}};
      }
      if (!small) continue;
      run.files.push_back(file.name);
      run.bytes += file.size;
      run.largest = std::max(run.largest, file.size);
    }
    return run.worth_merging(limits.bytes) ? run : Run();
  }

  // That each of its files is whole: damage that RocksDB met while it merges would end all its writing.
  absl::Status CheckRun(const Run& run) const {
    rocksdb::ReadOptions options;
    options.readahead_size = kWholeFileReadAheadBytes;
    for (const std::string& file : run.files) {
      const std::string path = database_->rocks().GetName() + file;
      const rocksdb::Status whole =
          rocksdb::VerifySstFileChecksum(database_->options(), rocksdb::EnvOptions(), options, path);
      if (!whole.ok()) return DataLoss(path + " is damaged: " + whole.ToString());
    }
    return absl::OkStatus();
  }

  absl::Status MergeRun(const Run& run) {
    rocksdb::CompactionOptions options;
    options.compression = database_->options().compression;
    options.output_file_size_limit = kMergedFileBytes;
    const int bottom = database_->options().num_levels - 1;
    const rocksdb::Status merged = database_->rocks().CompactFiles(options, database_->chunks(), run.files, bottom);
    if (merged.ok()) return absl::OkStatus();
    return Error(absl::StatusCode::kInternal, reason::kStorageFailed, merged.ToString());
  }

  Files& files_;
  const std::string incoming_;
  const Epoch epoch_;
  const std::unique_ptr<SealedDatabase> database_;
  std::uint64_t incoming_files_ = 0;
  mutable Mutex mutex_;
  SealedCheckpoint checkpoint_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<SealedCheckpoint> ReadSealedCheckpoint(const SealedDatabase& database, const Epoch& epoch,
                                                      std::uint32_t partitions) {
  std::string bytes;
  const rocksdb::Status found = database.rocks().Get({}, database.checkpoint(), kCheckpointKey, &bytes);
  if (found.IsNotFound()) return DataLoss("the sealed chunks have no checkpoint");
  EVERFOLD_RETURN_IF_ERROR(StatusOf(found, "reading the checkpoint of the sealed chunks failed"));
  return DecodeSealedCheckpoint(bytes, epoch, partitions);
}

absl::StatusOr<std::unique_ptr<SealedChunks>> SealedChunks::Open(Files& files, const std::string& directory,
                                                                 const LogIdentity& identity, bool create) {
  EVERFOLD_ASSIGN_OR_RETURN(std::unique_ptr<SealedDatabase> database, SealedDatabase::Open(files, directory, create));
  auto sealed = std::make_unique<RocksSealedChunks>(files, directory, identity, std::move(database));
  EVERFOLD_RETURN_IF_ERROR(create ? sealed->Create(identity.partitions) : sealed->Load(identity.partitions));
  return sealed;
}

absl::StatusOr<std::unique_ptr<SealedChunks>> SealedChunks::OpenUnderNewEpoch(Files& files,
                                                                              const std::string& directory,
                                                                              const LogIdentity& identity,
                                                                              const Epoch& before) {
  EVERFOLD_ASSIGN_OR_RETURN(std::unique_ptr<SealedDatabase> database,
                            SealedDatabase::Open(files, directory, /*create=*/false));
  auto sealed = std::make_unique<RocksSealedChunks>(files, directory, identity, std::move(database));
  EVERFOLD_RETURN_IF_ERROR(sealed->LoadUnder(before, identity.partitions));
  return sealed;
}

}  // namespace everfold
