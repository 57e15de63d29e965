#include "tests/bench/figures.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "everfold/base/check.h"
#include "tests/bench/machine.h"

namespace everfold::bench {
namespace {

// 120 columns.
constexpr char kRow[] = "%-51s %13s %-9s %12s %6s %-14s %-5s %4s\n";

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

std::string JsonNumber(std::optional<double> number) {
  return number.has_value() && std::isfinite(*number) ? absl::StrFormat("%.6g", *number) : "null";
}

std::string JsonOf(const Figure& figure) {
  const std::optional<bool> holds = figure.holds();
  return absl::StrFormat(
      R"({"name": %s, "value": %s, "unit": %s, "ceiling": %s, "ratio": %s, "goal": %s, "holds": %s, "load": %s})",
      Quoted(figure.name), JsonNumber(figure.value), Quoted(figure.unit), JsonNumber(figure.ceiling),
      JsonNumber(figure.ratio()), figure.goal.has_value() ? Quoted(figure.goal->ToString()) : "null",
      !holds.has_value() ? "null"
      : *holds           ? "true"
                         : "false",
      JsonNumber(figure.load));
}

std::string WithThousands(std::string digits) {
  for (std::size_t i = digits.size(); i > 3 && i - 3 > (digits[0] == '-' ? 1 : 0);) digits.insert(i -= 3, ",");
  return digits;
}

}  // namespace

std::string Goal::ToString() const {
  return absl::StrFormat("%s %s %g", of == Of::kRatio ? "ratio" : "value",
                         bound == Bound::kAtLeast ? ">=" : "<=", number);
}

Goal RatioAtLeast(double number) { return {Goal::Of::kRatio, Goal::Bound::kAtLeast, number}; }
Goal RatioAtMost(double number) { return {Goal::Of::kRatio, Goal::Bound::kAtMost, number}; }
Goal ValueAtLeast(double number) { return {Goal::Of::kValue, Goal::Bound::kAtLeast, number}; }
Goal ValueAtMost(double number) { return {Goal::Of::kValue, Goal::Bound::kAtMost, number}; }

std::optional<double> Figure::ratio() const {
  if (!ceiling.has_value() || *ceiling == 0) return std::nullopt;
  return value / *ceiling;
}

std::optional<bool> Figure::holds() const {
  if (!goal.has_value()) return std::nullopt;
  if (goal->of == Goal::Of::kValue) return goal->HoldsFor(value);
  const std::optional<double> measured = ratio();
  return measured.has_value() && goal->HoldsFor(*measured);
}

void Figures::Section(std::string_view title) {
  table_ << "\n" << absl::StrFormat(kRow, title, "measured", "unit", "ceiling", "ratio", "goal", "holds", "load");
  table_ << std::string(120, '-') << std::endl;
}

void Figures::Add(Figure figure) {
  figure.load = MachineLoad();
  if (!judges_) figure.goal.reset();
  const std::optional<double> ratio = figure.ratio();
  const std::optional<bool> holds = figure.holds();
  table_ << absl::StrFormat(kRow, figure.name, ShowNumber(figure.value), figure.unit,
                            figure.ceiling.has_value() ? ShowNumber(*figure.ceiling) : "",
                            ratio.has_value() ? absl::StrFormat("%.2f", *ratio) : "",
                            figure.goal.has_value() ? figure.goal->ToString() : "",
                            !holds.has_value() ? ""
                            : *holds           ? "yes"
                                               : "NO",
                            absl::StrFormat("%.1f", figure.load))
         << std::flush;
  figures_.push_back(std::move(figure));
}

void Figures::Remark(std::string_view text) { table_ << "  " << text << std::endl; }

std::string Figures::Summary() const {
  if (!judges_) return "no verdict: a quick run is too short to tell whether goals hold\n";
  std::size_t held = 0;
  std::vector<std::string> missed;
  for (const Figure& figure : figures_) {
    const std::optional<bool> holds = figure.holds();
    if (!holds.has_value()) continue;
    if (*holds) ++held;
    if (!*holds) missed.push_back(figure.name + " (" + figure.goal->ToString() + ")");
  }
  std::string text = absl::StrFormat("%d of %d goals hold", held, held + missed.size());
  if (!missed.empty()) text += "; not:\n  " + absl::StrJoin(missed, "\n  ");
  return text + "\n";
}

std::string Figures::ToJson() const {
  std::vector<std::string> lines;
  for (const Figure& figure : figures_) lines.push_back("  " + JsonOf(figure));
  return "[\n" + absl::StrJoin(lines, ",\n") + "\n]\n";
}

absl::Status Figures::WriteJson(const std::string& path) const {
  std::ofstream file(path);
  file << ToJson();
  file.close();
  return file ? absl::OkStatus() : absl::UnknownError("cannot write " + path);
}

std::string ShowNumber(double number) {
  const double size = std::abs(number);
  if (size >= 1000) return WithThousands(absl::StrFormat("%.0f", number));
  if (size >= 100 || number == 0) return absl::StrFormat("%.0f", number);
  return absl::StrFormat(size >= 10 ? "%.1f" : size >= 1 ? "%.2f" : "%.3f", number);
}

double MedianOf(std::vector<double> numbers) {
  EVERFOLD_CHECK(!numbers.empty());
  std::sort(numbers.begin(), numbers.end());
  const std::size_t middle = numbers.size() / 2;
  return numbers.size() % 2 == 1 ? numbers[middle] : (numbers[middle - 1] + numbers[middle]) / 2;
}

}  // namespace everfold::bench
