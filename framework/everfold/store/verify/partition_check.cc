#include "everfold/store/verify/partition_check.h"

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "everfold/event/chunk_reader.h"

namespace everfold {
namespace {

PartitionHead HeadAsOf(const ChunkHeader& header) { return {header.last_offset(), header.chunk_number, header.chain}; }

}  // namespace

absl::StatusOr<PartitionCheck> PartitionCheck::Begin(const PartitionLog& log, PartitionId partition, Sequence upto,
                                                     Findings& findings) {
  PartitionCheck check(partition, upto, log.Head(partition), findings);
  EVERFOLD_ASSIGN_OR_RETURN(check.cursor_, log.Read(partition, Offset()));
  return check;
}

absl::StatusOr<bool> PartitionCheck::Next() {
  while (!ended_) {
    if (at_.chunk_number >= end_.chunk_number) return End();
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, NextOfLog());
    if (!found) return End();
    if (!CheckWhole()) {
      has_gap_ = true;
      at_ = cursor_->head();
      continue;
    }
    if (header_.first_sequence > upto_) {
      ended_ = true;  // still on its way into the index: not to be looked at
      return false;
    }
    CheckFollows();
    at_ = HeadAsOf(header_);
    ++chunks_;
    return true;
  }
  return false;
}

absl::StatusOr<bool> PartitionCheck::NextOfLog() {
  const absl::StatusOr<bool> found = cursor_->Next();
  if (found.ok() || !IsDamage(found.status())) return found;
  StandBehind(at_);
  Find(absl::StrFormat("cannot be read, nor can what is behind it: %s", found.status().message()));
  has_gap_ = ended_ = true;
  return false;
}

// Of a chunk that does not tell, what its place would be.
void PartitionCheck::StandBehind(const PartitionHead& head) {
  header_ = ChunkHeader();
  header_.partition = partition_;
  header_.chunk_number = head.chunk_number + 1;
  header_.first_offset = head.offset.Next();
}

bool PartitionCheck::CheckWhole() {
  StandBehind(at_);
  const absl::StatusOr<ChunkHeader> header = CheckChunk(cursor_->chunk());
  if (header.ok()) header_ = *header;
  if (!header.ok()) Find(std::string(header.status().message()));
  return header.ok();
}

void PartitionCheck::CheckFollows() {
  if (header_.partition != partition_) Find(absl::StrFormat("it is of partition %d", header_.partition.value()));
  const bool follows = header_.chunk_number == at_.chunk_number + 1 && header_.first_offset == at_.offset.Next();
  if (!follows) {
    has_gap_ = true;
    Find(absl::StrFormat("chunk %d (offset %d) follows chunk %d, which ends with offset %d", header_.chunk_number,
                         header_.first_offset.value(), at_.chunk_number, at_.offset.value()));
  } else if (!CheckChain()) {
    Find("its chain does not continue the one before: it was changed, or what stands before it was");
  }
  if (cursor_->head() != HeadAsOf(header_)) Find("the log says something else of where it ends than the chunk itself");
}

bool PartitionCheck::CheckChain() {
  const absl::StatusOr<Chain> chain = ChainOf(cursor_->chunk(), at_.chain);
  return chain.ok() && *chain == header_.chain;
}

bool PartitionCheck::End() {
  const bool complete = at_ == end_ || ended_;
  ended_ = true;
  if (complete) return false;
  StandBehind(at_);
  Find(absl::StrFormat("the chunks end here, but the log's head is chunk %d (offset %d), chain %s", end_.chunk_number,
                       end_.offset.value(), end_.chain.ToString()));
  return false;
}

void PartitionCheck::Find(std::string what) {
  findings_->Add({partition_, header_.chunk_number, header_.first_offset, std::move(what)});
}

}  // namespace everfold
