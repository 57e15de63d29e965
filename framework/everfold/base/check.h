// Checks for bugs of ours: conditions that no input, file or peer can cause. They stay on in release builds. Whatever
// input can cause is an absl::Status instead.
#pragma once

namespace everfold {

// Prints where and what, then aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);

}  // namespace everfold

#define EVERFOLD_CHECK(condition)                                              \
  do {                                                                         \
    if (!(condition)) ::everfold::CheckFailed(__FILE__, __LINE__, #condition); \
  } while (false)
