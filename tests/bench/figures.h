// What was measured: a table for people, printed line by line as the figures come, and JSON for programs.
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace everfold::bench {

// What a figure, or its ratio to the ceiling, must reach.
struct Goal {
  enum class Of { kValue, kRatio };
  enum class Bound { kAtLeast, kAtMost };
  Of of = Of::kRatio;
  Bound bound = Bound::kAtLeast;
  double number = 0;

  bool HoldsFor(double measured) const { return bound == Bound::kAtLeast ? measured >= number : measured <= number; }
  std::string ToString() const;  // "ratio >= 0.5"
};

Goal RatioAtLeast(double number);
Goal RatioAtMost(double number);
Goal ValueAtLeast(double number);
Goal ValueAtMost(double number);

struct Figure {
  std::string name;
  double value = 0;
  std::string unit;
  std::optional<double> ceiling = {};  // the same work on bare means, measured in the same run
  std::optional<Goal> goal = {};
  double load = 0;  // of the machine when it was measured; filled in by Figures

  std::optional<double> ratio() const;
  std::optional<bool> holds() const;
};

// Threading: one thread. Lifetime: the stream outlives it.
class Figures {
 public:
  // `judges`: false for a run that is too short to tell whether goals hold; they are left out.
  Figures(std::ostream& table, bool judges) : table_(table), judges_(judges) {}

  void Section(std::string_view title);
  void Add(Figure figure);
  // A line below the table: what the figures say that cannot be read off them.
  void Remark(std::string_view text);

  // How many goals hold, and which do not; or that there is no verdict.
  std::string Summary() const;
  // A list of {name, value, unit, ceiling, ratio, goal, holds, load}; null for what a figure does not have.
  std::string ToJson() const;
  absl::Status WriteJson(const std::string& path) const;

 private:
  std::ostream& table_;
  const bool judges_;
  std::vector<Figure> figures_;
};

// 1234567.8 as "1,234,568", 12.345 as "12.3", 0.01234 as "0.0123".
std::string ShowNumber(double number);

// REQUIRES: not empty.
double MedianOf(std::vector<double> numbers);

}  // namespace everfold::bench
