#include "everfold/store/index/broken_log.h"

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"

namespace everfold {

absl::Status BrokenBehind(PartitionId partition, const PartitionHead& head, const std::string& what) {
  return Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
               absl::StrFormat("partition %d, behind chunk %d (offset %d): %s", partition.value(), head.chunk_number,
                               head.offset.value(), what));
}

}  // namespace everfold
