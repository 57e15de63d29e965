// Limits of what an event says about itself; an append beyond them is refused with INVALID_ARGUMENT.
#pragma once

#include <cstddef>

namespace everfold {

inline constexpr std::size_t kMaxEventTypeBytes = 500;  // also of a command's type
inline constexpr std::size_t kMaxTagBytes = 200;

}  // namespace everfold
