// How far a verb is, on the terminal of who waits for it:
//
//   [=============>            ] 52%  2,683,101 of 5,160,000 events  431,022/s  6 s left
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "everfold/base/clock.h"

namespace everfold {

// Draws on stderr, and nothing where that is no terminal. Threading: one thread.
class VerbProgressBar {
 public:
  // `unit` in the plural, for example "events".
  explicit VerbProgressBar(std::string unit);
  // Removes what it has drawn.
  ~VerbProgressBar();
  VerbProgressBar(const VerbProgressBar&) = delete;
  VerbProgressBar& operator=(const VerbProgressBar&) = delete;

  // Draws, unless it has just done so.
  void Update(std::uint64_t done, std::uint64_t total);

 private:
  const std::string unit_;
  const bool on_terminal_;
  const SystemClock clock_;
  const absl::Time begun_;
  absl::Time drawn_ = absl::InfinitePast();
  std::uint64_t first_ = 0;  // that was done before
};

// The line of a bar. The rate is that of what was done in `elapsed`, from `first` on.
std::string ProgressLine(std::uint64_t first, std::uint64_t done, std::uint64_t total, const std::string& unit,
                         absl::Duration elapsed);

}  // namespace everfold
