// When work in the background that has failed is tried again by itself.
#pragma once

#include <algorithm>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace everfold {

// Of an error of storage: the disk was full, or failed, and may do it the next time. What is damaged stays so.
inline bool StorageMayRecover(const absl::Status& error) {
  return absl::IsResourceExhausted(error) || absl::IsInternal(error);
}

// `first` after the first failure, doubled with each further one, and never longer than `longest`.
inline absl::Duration BackOff(absl::Duration first, absl::Duration longest, std::uint64_t failures) {
  absl::Duration delay = first;
  for (std::uint64_t i = 1; i < failures && delay < longest; ++i) delay *= 2;
  return std::min(delay, longest);
}

}  // namespace everfold
