#include "everfold/app/progress_bar.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/counted.h"

namespace everfold {
namespace {

constexpr std::size_t kBarWidth = 30;
constexpr absl::Duration kDrawEvery = absl::Milliseconds(100);
constexpr char kEraseLine[] = "\r\x1b[2K";

std::string Bar(double share) {
  const auto filled = static_cast<std::size_t>(share * kBarWidth);
  std::string bar(filled, '=');
  if (filled < kBarWidth) bar += '>';
  bar.resize(kBarWidth, ' ');
  return bar;
}

std::string TimeLeft(double seconds) {
  if (seconds < 100) return absl::StrFormat("%.0f s left", seconds);
  if (seconds < 6000) return absl::StrFormat("%.0f min left", seconds / 60);
  return absl::StrFormat("%.1f h left", seconds / 3600);
}

}  // namespace

VerbProgressBar::VerbProgressBar(std::string unit)
    : unit_(std::move(unit)), on_terminal_(::isatty(STDERR_FILENO) != 0), begun_(clock_.Now()) {}

VerbProgressBar::~VerbProgressBar() {
  if (drawn_ != absl::InfinitePast()) std::fputs(kEraseLine, stderr);
}

void VerbProgressBar::Update(std::uint64_t done, std::uint64_t total) {
  const absl::Time now = clock_.Now();
  if (!on_terminal_ || now - drawn_ < kDrawEvery) return;
  if (drawn_ == absl::InfinitePast()) first_ = done;
  drawn_ = now;
  std::fputs((kEraseLine + ProgressLine(first_, done, total, unit_, now - begun_)).c_str(), stderr);
}

std::string ProgressLine(std::uint64_t first, std::uint64_t done, std::uint64_t total, const std::string& unit,
                         absl::Duration elapsed) {
  const double share = total > 0 ? std::min(1.0, static_cast<double>(done) / static_cast<double>(total)) : 1.0;
  std::string line =
      absl::StrFormat("[%s] %3.0f%%  %s of %s %s", Bar(share), share * 100, Grouped(done), Grouped(total), unit);
  const double seconds = absl::ToDoubleSeconds(elapsed);
  if (done <= first || seconds <= 0) return line;
  const double rate = static_cast<double>(done - first) / seconds;
  line += absl::StrFormat("  %s/s", Grouped(static_cast<std::uint64_t>(rate)));
  return done < total ? line + "  " + TimeLeft(static_cast<double>(total - done) / rate) : line;
}

}  // namespace everfold
