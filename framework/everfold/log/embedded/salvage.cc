#include "everfold/log/embedded/salvage.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "everfold/event/chunk_reader.h"
#include "everfold/log/embedded/new_store.h"
#include "everfold/log/embedded/salvage_chunks.h"
#include "everfold/log/embedded/sealed_chunks.h"
#include "everfold/log/embedded/storage_error.h"
#include "everfold/log/embedded/store_directory.h"
#include "everfold/log/embedded/store_identity.h"
#include "everfold/log/embedded/store_parts.h"

namespace everfold {
namespace {

constexpr std::size_t kSealBytes = 64 << 20;

PartitionHead HeadAsOf(const ChunkHeader& header) { return {header.last_offset(), header.chunk_number, header.chain}; }

// Walks all partitions at once, merged by the first sequences of their next chunks, up to where something is missing.
// It may be cut wherever all commits up to the last one are there and no chunk goes on beyond: so it is between any two
// groups. A commit does not say how many partitions it is in. But a group has one chunk a partition, so that what a
// partition has lost is of later groups than its last chunk, and the cut behind that loses no part of a commit.
class SafeCut {
 public:
  SafeCut(SalvageChunks& chunks, std::uint32_t partitions) : chunks_(chunks) { report_.partitions.resize(partitions); }

  absl::StatusOr<SalvageReport> Find() {
    for (std::uint32_t i = 0; i < report_.partitions.size(); ++i) Advance(PartitionId(i));
    while (!next_.empty() && !(ends_early_ && at_cut_)) {
      if (next_.front().header.first_sequence > complete_.Next()) break;  // commits are missing
      EVERFOLD_RETURN_IF_ERROR(TakeNext());
    }
    for (const NextChunk& left_out : next_) report_.partitions[left_out.header.partition.value()].had_more = true;
    for (std::uint32_t i = 0; i < report_.partitions.size(); ++i) {
      report_.partitions[i].last_known_chunk = chunks_.LastKnown(PartitionId(i));
    }
    return std::move(report_);
  }

 private:
  struct NextChunk {
    ChunkHeader header;
    std::string bytes;
  };
  static bool IsLater(const NextChunk& a, const NextChunk& b) {
    return std::pair(a.header.first_sequence, a.header.partition) >
           std::pair(b.header.first_sequence, b.header.partition);
  }

  void Advance(PartitionId partition) {
    SalvagedPartition& end = report_.partitions[partition.value()];
    std::optional<std::string> bytes = chunks_.Next(partition, end.proven);
    if (!bytes.has_value()) {
      end.had_more = chunks_.HadMore(partition, end.proven);
      ends_early_ = ends_early_ || end.had_more;
      return;
    }
    const absl::StatusOr<ChunkHeader> header = DecodeChunkHeader(*bytes);
    next_.push_back({*header, *std::move(bytes)});
    std::push_heap(next_.begin(), next_.end(), IsLater);
  }

  absl::Status TakeNext() {
    std::pop_heap(next_.begin(), next_.end(), IsLater);
    const NextChunk taken = std::move(next_.back());
    next_.pop_back();
    EVERFOLD_ASSIGN_OR_RETURN(ChunkReader chunk, ChunkReader::Open(taken.bytes));
    while (chunk.NextCommit()) Mark(chunk.commit().sequence);
    report_.partitions[taken.header.partition.value()].proven = HeadAsOf(taken.header);
    Advance(taken.header.partition);
    at_cut_ = early_.empty() && (next_.empty() || next_.front().header.first_sequence > complete_);
    if (at_cut_) Cut();
    return chunk.status();
  }

  void Mark(Sequence sequence) {
    if (sequence > complete_) early_.insert(sequence);
    while (early_.erase(complete_.Next()) > 0) complete_ = complete_.Next();
  }

  void Cut() {
    report_.last_kept = complete_;
    for (SalvagedPartition& partition : report_.partitions) partition.kept = partition.proven;
  }

  SalvageChunks& chunks_;
  SalvageReport report_;
  std::vector<NextChunk> next_;  // a heap
  std::set<Sequence> early_;     // behind one that has not come yet
  Sequence complete_;
  bool at_cut_ = true;
  bool ends_early_ = false;  // a partition has lost what comes next
};

// Copies the chunks up to the cut, partition by partition.
class Copy {
 public:
  Copy(SalvageChunks& chunks, SealedChunks& sealed, std::uint32_t partitions)
      : chunks_(chunks), sealed_(sealed), partitions_(partitions) {
    reached_.heads.resize(partitions);
  }

  absl::Status Run(const SalvageReport& report) {
    for (std::uint32_t i = 0; i < partitions_; ++i) {
      const PartitionId partition(i);
      while (reached_.heads[i].chunk_number < report.partitions[i].kept.chunk_number) {
        std::optional<std::string> bytes = chunks_.Next(partition, reached_.heads[i]);
        if (!bytes.has_value()) return Changed(partition);
        EVERFOLD_RETURN_IF_ERROR(Add(partition, *std::move(bytes)));
      }
      EVERFOLD_RETURN_IF_ERROR(Seal(partition));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Add(PartitionId partition, std::string bytes) {
    EVERFOLD_ASSIGN_OR_RETURN(const ChunkHeader header, CheckChunk(bytes));
    reached_.heads[partition.value()] = HeadAsOf(header);
    waiting_bytes_ += bytes.size();
    waiting_.push_back(std::make_shared<TailChunk>(
        TailChunk{header.first_offset, HeadAsOf(header), std::make_shared<const std::string>(std::move(bytes))}));
    return waiting_bytes_ < kSealBytes ? absl::OkStatus() : Seal(partition);
  }

  absl::Status Seal(PartitionId partition) {
    if (waiting_.empty()) return absl::OkStatus();
    std::vector<std::vector<TailChunkPtr>> chunks(partitions_);
    chunks[partition.value()] = std::exchange(waiting_, {});
    waiting_bytes_ = 0;
    return sealed_.Seal(chunks, reached_);
  }

  absl::Status Changed(PartitionId partition) const {
    return DataLoss(absl::StrFormat("chunk %d of partition %d could be read a moment ago, and now it cannot",
                                    reached_.heads[partition.value()].chunk_number + 1, partition.value()));
  }

  SalvageChunks& chunks_;
  SealedChunks& sealed_;
  const std::uint32_t partitions_;
  SealedCheckpoint reached_;
  std::vector<TailChunkPtr> waiting_;
  std::size_t waiting_bytes_ = 0;
};

absl::StatusOr<LogIdentity> IdentityOf(Files& files, const std::string& store) {
  if (!files.Exists(store)) return absl::InvalidArgumentError("there is no store in " + store);
  const absl::StatusOr<std::string> bytes = ReadFile(files, IdentityPath(store));
  absl::StatusOr<LogIdentity> identity = bytes.ok() ? DecodeIdentity(*bytes) : bytes.status();
  if (identity.ok() || !(absl::IsNotFound(identity.status()) || absl::IsDataLoss(identity.status()))) return identity;
  return DataLoss(IdentityPath(store) +
                  " is damaged or missing, and with it the store's key. A backup has a copy of the file: put it there");
}

}  // namespace

bool SalvageReport::ends_early() const {
  return std::any_of(partitions.begin(), partitions.end(), [](const SalvagedPartition& partition) {
    return partition.had_more || partition.kept != partition.proven;
  });
}

absl::StatusOr<SalvageReport> SalvageStore(const SalvageOptions& options, RandomSource& random) {
  Files& files = options.files != nullptr ? *options.files : PosixFiles();
  EVERFOLD_ASSIGN_OR_RETURN(LogIdentity identity, IdentityOf(files, options.damaged));
  EVERFOLD_RETURN_IF_ERROR(CheckAreApart(options.damaged, options.directory));
  EVERFOLD_RETURN_IF_ERROR(CheckIsEmpty(files, options.directory));
  if (&files == &PosixFiles()) EVERFOLD_RETURN_IF_ERROR(StoreDirectory::CheckFree(options.damaged));
  SalvageChunks chunks(files, options.damaged, identity);
  EVERFOLD_RETURN_IF_ERROR(chunks.Find());
  EVERFOLD_ASSIGN_OR_RETURN(SalvageReport report, SafeCut(chunks, identity.partitions).Find());
  report.notes = chunks.notes();

  identity.epoch = NewIdentity(identity.partitions, random).epoch;
  EVERFOLD_RETURN_IF_ERROR(files.MakeDirectory(options.directory));
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<SealedChunks> sealed,
                            SealedChunks::Open(files, SealedDirectory(options.directory), identity, /*create=*/true));
  EVERFOLD_RETURN_IF_ERROR(Copy(chunks, *sealed, identity.partitions).Run(report));
  if (options.verify) EVERFOLD_RETURN_IF_ERROR(options.verify(*ReadOnlyLog(*sealed, identity)));
  EVERFOLD_RETURN_IF_ERROR(CompleteStore(files, options.directory, identity, {}, options.journal_file_bytes));
  return report;
}

}  // namespace everfold
