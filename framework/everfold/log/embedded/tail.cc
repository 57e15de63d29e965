#include "everfold/log/embedded/tail.h"

#include <algorithm>
#include <utility>

#include "everfold/base/check.h"

namespace everfold {

Tail::Tail(std::vector<PartitionHead> heads) {
  for (const PartitionHead& head : heads) partitions_.push_back({head, head, {}});
}

const Tail::PartitionTail& Tail::At(PartitionId partition) const {
  EVERFOLD_CHECK(partition.value() < partitions_.size());
  return partitions_[partition.value()];
}

PartitionHead Tail::Head(PartitionId partition) const {
  ReaderMutexLock lock(&mutex_);
  return At(partition).head;
}

std::vector<PartitionHead> Tail::Heads() const {
  ReaderMutexLock lock(&mutex_);
  std::vector<PartitionHead> heads;
  for (const PartitionTail& partition : partitions_) heads.push_back(partition.head);
  return heads;
}

void Tail::Append(const std::vector<std::pair<PartitionId, TailChunkPtr>>& chunks) {
  MutexLock lock(&mutex_);
  for (const auto& [id, chunk] : chunks) {
    PartitionTail& partition = partitions_[id.value()];
    EVERFOLD_CHECK(chunk->head.chunk_number == partition.head.chunk_number + 1);
    partition.head = chunk->head;
    partition.chunks.push_back(chunk);
  }
}

TailChunkPtr Tail::ChunkAt(PartitionId partition, std::uint64_t chunk_number) const {
  ReaderMutexLock lock(&mutex_);
  const PartitionTail& tail = At(partition);
  const std::uint64_t first = tail.sealed.chunk_number + 1;
  if (chunk_number < first || chunk_number - first >= tail.chunks.size()) return nullptr;
  return tail.chunks[chunk_number - first];
}

TailChunkPtr Tail::FirstBehind(PartitionId partition, Offset after) const {
  ReaderMutexLock lock(&mutex_);
  const PartitionTail& tail = At(partition);
  const bool all_behind = after == Offset(0) && tail.sealed.chunk_number == 0;
  if (after < tail.sealed.offset || (after == Offset(0) && !all_behind)) return nullptr;
  if (all_behind) return tail.chunks.empty() ? nullptr : tail.chunks.front();
  const auto found =
      std::upper_bound(tail.chunks.begin(), tail.chunks.end(), after,
                       [](Offset offset, const TailChunkPtr& chunk) { return offset < chunk->head.offset; });
  return found == tail.chunks.end() ? nullptr : *found;
}

std::vector<TailChunkPtr> Tail::ChunksUpTo(PartitionId partition, const PartitionHead& head) const {
  ReaderMutexLock lock(&mutex_);
  const PartitionTail& tail = At(partition);
  EVERFOLD_CHECK(head.chunk_number >= tail.sealed.chunk_number && head.chunk_number <= tail.head.chunk_number);
  const auto count = static_cast<std::ptrdiff_t>(head.chunk_number - tail.sealed.chunk_number);
  return {tail.chunks.begin(), tail.chunks.begin() + count};
}

std::vector<TailChunkPtr> Tail::Drop(const std::vector<PartitionHead>& sealed) {
  std::vector<TailChunkPtr> dropped;
  MutexLock lock(&mutex_);
  for (std::size_t i = 0; i < partitions_.size(); ++i) {
    PartitionTail& partition = partitions_[i];
    while (!partition.chunks.empty() && partition.chunks.front()->head.chunk_number <= sealed[i].chunk_number) {
      dropped.push_back(std::move(partition.chunks.front()));
      partition.chunks.pop_front();
    }
    partition.sealed = sealed[i];
  }
  return dropped;
}

}  // namespace everfold
