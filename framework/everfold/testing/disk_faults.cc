#include "everfold/testing/disk_faults.h"

#include "everfold/base/check.h"

namespace everfold {
namespace {

bool Overlap(DiskOperation a, DiskOperation b) { return (a & b) != DiskOperation{}; }

DiskOperation CanFailBy(DiskFault fault) {
  switch (fault) {
    case DiskFault::kNoSpace:
      return DiskOperation::kWrite | DiskOperation::kCreate | DiskOperation::kRename;
    case DiskFault::kShortWrite:
      return DiskOperation::kWrite;
    case DiskFault::kSyncError:
      return DiskOperation::kSync;
    case DiskFault::kIoError:
      break;
  }
  return DiskOperation::kAny;
}

}  // namespace

void DiskFaults::FailFrom(std::uint64_t n, DiskFault fault, FaultTimes times, DiskOperation operations) {
  EVERFOLD_CHECK(n > 0);
  MutexLock lock(&mutex_);
  plan_ = Plan{n - 1, fault, times, operations & CanFailBy(fault)};
}

void DiskFaults::Stop() {
  MutexLock lock(&mutex_);
  plan_ = std::nullopt;
}

std::optional<DiskFault> DiskFaults::Meet(DiskOperation operation) {
  MutexLock lock(&mutex_);
  ++operations_[operation];
  if (!plan_.has_value() || !Overlap(operation, plan_->operations)) return std::nullopt;
  if (plan_->before > 0) {
    --plan_->before;
    return std::nullopt;
  }
  const DiskFault fault = plan_->fault;
  if (plan_->times == FaultTimes::kOnce) plan_ = std::nullopt;
  ++failures_;
  return fault;
}

std::uint64_t DiskFaults::operations(DiskOperation of) const {
  MutexLock lock(&mutex_);
  std::uint64_t sum = 0;
  for (const auto& [operation, count] : operations_) {
    if (Overlap(operation, of)) sum += count;
  }
  return sum;
}

std::uint64_t DiskFaults::failures() const {
  MutexLock lock(&mutex_);
  return failures_;
}

}  // namespace everfold
