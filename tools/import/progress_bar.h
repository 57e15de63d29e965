// How far a long task is: a bar that redraws itself on a terminal, plain lines anywhere else.
//
//   [=============>            ] 52%  2,683 of 5,160 rows  4,310/s  1 s left
#pragma once

#include <cstdint>
#include <ostream>
#include <string>

#include "absl/time/time.h"

namespace everfold {

// Threading: one thread. Lifetime: the stream outlives it.
class ProgressBar {
 public:
  struct Options {
    std::int64_t total = 0;
    std::string unit;         // in the plural, for example "rows"
    bool on_terminal = true;  // else one line every kLineEvery
    absl::Time start;
  };
  static constexpr absl::Duration kDrawEvery = absl::Milliseconds(100);
  static constexpr absl::Duration kLineEvery = absl::Seconds(5);

  ProgressBar(Options options, std::ostream& out) : options_(std::move(options)), out_(out), shown_(options_.start) {}

  // Draws unless it has just done so. The note, if there is one, stands behind everything else.
  void Update(std::int64_t done, absl::Time now, const std::string& note = "");
  // Removes the bar from the terminal, so that a line can be printed.
  void Clear();
  // Draws the final state.
  void Finish(std::int64_t done, absl::Time now);

 private:
  void Draw(std::int64_t done, absl::Time now, const std::string& note);

  const Options options_;
  std::ostream& out_;
  absl::Time shown_;
};

// The line of a bar, without its terminal controls.
std::string RenderProgress(std::int64_t done, std::int64_t total, const std::string& unit, absl::Duration elapsed);

// 1234567 as "1,234,567".
std::string WithThousands(std::int64_t number);
// "-1234567.05" as "-1,234,567.05".
std::string WithThousands(std::string decimal);

}  // namespace everfold
