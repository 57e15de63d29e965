#include "everfold/log/append_rules.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
#include "everfold/base/error.h"

namespace everfold {
namespace {

bool NothingWritten(const absl::Status& failure) {
  return absl::IsAborted(failure) || absl::IsResourceExhausted(failure) || absl::IsFailedPrecondition(failure) ||
         absl::IsInvalidArgument(failure);
}

bool InDistinctPartitions(const std::vector<ChunkAppend>& group) {
  std::vector<PartitionId> partitions;
  for (const ChunkAppend& append : group) partitions.push_back(append.partition);
  std::sort(partitions.begin(), partitions.end());
  return std::adjacent_find(partitions.begin(), partitions.end()) == partitions.end();
}

}  // namespace

void CheckGroup(const std::vector<ChunkAppend>& group, std::uint32_t partitions) {
  EVERFOLD_CHECK(!group.empty());
  EVERFOLD_CHECK(InDistinctPartitions(group));
  for (const ChunkAppend& append : group) {
    EVERFOLD_CHECK(append.partition.value() < partitions);
    EVERFOLD_CHECK(append.new_head.chunk_number == append.expected_head.chunk_number + 1);
    EVERFOLD_CHECK(append.new_head.offset >= append.expected_head.offset);
  }
}

absl::Status CompareHeads(const std::vector<ChunkAppend>& group, const std::vector<PartitionHead>& heads) {
  for (const ChunkAppend& append : group) {
    const PartitionHead& expected = append.expected_head;
    const PartitionHead& actual = heads[append.partition.value()];
    if (actual == expected) continue;
    return Error(
        absl::StatusCode::kAborted, reason::kHeadConflict,
        absl::StrFormat("partition %d ends with chunk %d at offset %d, not with chunk %d at offset %d: another "
                        "writer has appended to it",
                        append.partition.value(), actual.chunk_number, actual.offset.value(), expected.chunk_number,
                        expected.offset.value()),
        {{"partition", std::to_string(append.partition.value())},
         {"actual_chunk", std::to_string(actual.chunk_number)},
         {"expected_chunk", std::to_string(expected.chunk_number)}});
  }
  return absl::OkStatus();
}

absl::Status OutcomeUnknown(const std::string& what) {
  return Error(absl::StatusCode::kUnknown, reason::kOutcomeUnknown,
               "an append failed in the middle, it may have become durable or not: " + what);
}

void OutstandingAppends::Begin() {
  MutexLock lock(&mutex_);
  ++count_;
}

absl::Status OutstandingAppends::failure() const {
  MutexLock lock(&mutex_);
  return failure_;
}

void OutstandingAppends::Fail(const absl::Status& failure) {
  EVERFOLD_CHECK(!failure.ok());
  MutexLock lock(&mutex_);
  const bool graver = NothingWritten(failure_) && !NothingWritten(failure);
  if (failure_.ok() || graver) failure_ = failure;
}

absl::Status OutstandingAppends::Settle(absl::Status outcome) {
  MutexLock lock(&mutex_);
  if (failure_.ok()) failure_ = std::move(outcome);
  return failure_;
}

void OutstandingAppends::End() {
  MutexLock lock(&mutex_);
  EVERFOLD_CHECK(count_ > 0);
  if (--count_ == 0 && NothingWritten(failure_)) failure_ = absl::OkStatus();
}

}  // namespace everfold
