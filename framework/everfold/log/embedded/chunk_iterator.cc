#include "everfold/log/embedded/chunk_iterator.h"

#include <rocksdb/db.h>

#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "everfold/event/chunk.h"
#include "everfold/log/embedded/database.h"

namespace everfold {
namespace {

std::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

// What stands in the store and says it is this chunk.
struct StoredChunk {
  PartitionHead head;
  Offset first_offset;
};

// The chunk under the iterator. REQUIRES: the iterator is valid.
absl::StatusOr<StoredChunk> Stored(const rocksdb::Iterator& at, PartitionId partition) {
  const std::optional<ChunkKey> key = DecodeChunkKey(View(at.key()));
  if (!key.has_value() || key->partition != partition) {
    return DataLoss(absl::StrFormat("partition %d has a key that is no chunk's", partition.value()));
  }
  EVERFOLD_ASSIGN_OR_RETURN(const ChunkHeader header, DecodeChunkHeader(View(at.value())));
  const PartitionHead said{header.last_offset(), header.chunk_number};
  if (header.partition != partition || said != key->head) {
    return DataLoss(absl::StrFormat("partition %d has chunk %d at offset %d in the place of chunk %d at offset %d",
                                    partition.value(), said.chunk_number, said.offset.value(), key->head.chunk_number,
                                    key->head.offset.value()));
  }
  return StoredChunk{key->head, header.first_offset};
}

class RocksCursor final : public ChunkCursor {
 public:
  RocksCursor(rocksdb::DB& database, PartitionId partition, Offset after, absl::AnyInvocable<PartitionHead()> head)
      : database_(database),
        partition_(partition),
        head_(std::move(head)),
        end_key_(BeginOfPartition(PartitionId(partition.value() + 1))),
        end_(end_key_),
        at_{after, 0} {}

  absl::StatusOr<bool> Next() override {
    absl::StatusOr<bool> moved = Move();
    if (!moved.ok()) iterator_ = nullptr;  // the next call looks at the same place again
    return moved;
  }
  std::string_view chunk() const override { return View(iterator_->value()); }
  PartitionHead head() const override { return at_; }

 private:
  absl::StatusOr<bool> Move() {
    if (AtLimit()) {
      limit_ = head_();
      // An iterator sees the database as of its making, and holds on to that state until it goes.
      iterator_ = nullptr;
      if (AtLimit()) return false;
    }
    MoveIterator();
    if (!iterator_->Valid()) return EndedEarly();
    return Accept();
  }

  // Before the first chunk is found its number is not known, and offsets decide.
  bool AtLimit() const {
    if (started_) return at_.chunk_number >= limit_.chunk_number;
    return at_.offset == Offset(0) ? limit_.chunk_number == 0 : at_.offset >= limit_.offset;
  }

  void MoveIterator() {
    if (iterator_ != nullptr) return iterator_->Next();
    rocksdb::ReadOptions options;
    options.iterate_upper_bound = &end_;
    options.adaptive_readahead = true;
    iterator_.reset(database_.NewIterator(options));
    iterator_->Seek(EncodeChunkKey({partition_, SeekFrom()}));
  }

  PartitionHead SeekFrom() const {
    if (started_) return {at_.offset, at_.chunk_number + 1};
    return {at_.offset == Offset(0) ? Offset(0) : at_.offset.Next(), 0};
  }

  absl::Status EndedEarly() const {
    EVERFOLD_RETURN_IF_ERROR(
        StatusOf(iterator_->status(), absl::StrFormat("reading partition %d failed", partition_.value())));
    return DataLoss(absl::StrFormat("partition %d ends behind offset %d; its head was at chunk %d, offset %d",
                                    partition_.value(), at_.offset.value(), limit_.chunk_number,
                                    limit_.offset.value()));
  }

  absl::StatusOr<bool> Accept() {
    EVERFOLD_ASSIGN_OR_RETURN(const StoredChunk found, Stored(*iterator_, partition_));
    if (!Follows(found)) {
      return DataLoss(absl::StrFormat(
          "partition %d: chunk %d begins at offset %d and does not follow chunk %d, offset %d", partition_.value(),
          found.head.chunk_number, found.first_offset.value(), at_.chunk_number, at_.offset.value()));
    }
    at_ = found.head;
    started_ = true;
    return true;
  }

  bool Follows(const StoredChunk& found) const {
    if (!started_ && at_.offset != Offset(0)) return found.first_offset <= at_.offset.Next();
    return found.head.chunk_number == at_.chunk_number + 1 && found.first_offset == at_.offset.Next();
  }

  rocksdb::DB& database_;
  const PartitionId partition_;
  absl::AnyInvocable<PartitionHead()> head_;
  const std::string end_key_;
  const rocksdb::Slice end_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
  PartitionHead at_;     // the chunk last returned; until then {after, 0}
  PartitionHead limit_;  // the durable head as of the last look
  bool started_ = false;
};

}  // namespace

absl::StatusOr<PartitionHead> RecoverHead(rocksdb::DB& database, PartitionId partition) {
  const std::unique_ptr<rocksdb::Iterator> last(database.NewIterator({}));
  last->SeekForPrev(BeginOfPartition(PartitionId(partition.value() + 1)));
  EVERFOLD_RETURN_IF_ERROR(
      StatusOf(last->status(), absl::StrFormat("reading the end of partition %d failed", partition.value())));
  const bool found = last->Valid() && View(last->key()).starts_with(BeginOfPartition(partition));
  if (!found) return PartitionHead();
  EVERFOLD_ASSIGN_OR_RETURN(const StoredChunk chunk, Stored(*last, partition));
  return chunk.head;
}

std::unique_ptr<ChunkCursor> ReadChunks(rocksdb::DB& database, PartitionId partition, Offset after,
                                        absl::AnyInvocable<PartitionHead()> head) {
  return std::make_unique<RocksCursor>(database, partition, after, std::move(head));
}

}  // namespace everfold
