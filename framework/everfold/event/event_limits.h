// Limits of what an event says about itself; an append beyond them is refused with INVALID_ARGUMENT.
#pragma once

#include <cstddef>

#include "absl/status/status.h"

namespace everfold {

inline constexpr std::size_t kMaxEventTypeBytes = 500;  // also of a command's type
inline constexpr std::size_t kMaxTagBytes = 200;

// INVALID_ARGUMENT (LIMIT_EXCEEDED), with `what` there is too much of, limit and value, unless `actual` keeps the
// limit.
absl::Status AtMost(const char* what, std::size_t limit, std::size_t actual);

}  // namespace everfold
