#include "tools/import/progress_bar.h"

#include <algorithm>

#include "absl/strings/str_format.h"

namespace everfold {
namespace {

constexpr int kBarWidth = 30;
constexpr char kEraseLine[] = "\r\x1b[2K";

std::string Bar(double share) {
  const int filled = static_cast<int>(share * kBarWidth);
  std::string bar(kBarWidth, ' ');
  std::fill_n(bar.begin(), filled, '=');
  if (filled < kBarWidth) bar[filled] = '>';
  return bar;
}

std::string TimeLeft(double seconds) {
  if (seconds < 100) return absl::StrFormat("%.0f s left", seconds);
  if (seconds < 6000) return absl::StrFormat("%.0f min left", seconds / 60);
  return absl::StrFormat("%.1f h left", seconds / 3600);
}

}  // namespace

std::string RenderProgress(std::int64_t done, std::int64_t total, const std::string& unit, absl::Duration elapsed) {
  const double share = total > 0 ? std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0) : 1.0;
  const double seconds = absl::ToDoubleSeconds(elapsed);
  std::string line = absl::StrFormat("[%s] %3.0f%%  %s of %s %s", Bar(share), share * 100, WithThousands(done),
                                     WithThousands(total), unit);
  if (done == 0 || seconds <= 0) return line;
  const double rate = static_cast<double>(done) / seconds;
  line += absl::StrFormat("  %s/s", WithThousands(static_cast<std::int64_t>(rate)));
  return done < total ? line + "  " + TimeLeft(static_cast<double>(total - done) / rate) : line;
}

std::string WithThousands(std::int64_t number) { return WithThousands(std::to_string(number)); }

std::string WithThousands(std::string decimal) {
  const int first_digit = decimal.starts_with('-') ? 1 : 0;
  const int whole_end = static_cast<int>(std::min(decimal.find('.'), decimal.size()));
  for (int at = whole_end - 3; at > first_digit; at -= 3) decimal.insert(at, ",");
  return decimal;
}

void ProgressBar::Update(std::int64_t done, absl::Time now, const std::string& note) {
  if (now - shown_ < (options_.on_terminal ? kDrawEvery : kLineEvery)) return;
  Draw(done, now, note);
}

void ProgressBar::Clear() {
  if (options_.on_terminal) out_ << kEraseLine << std::flush;
}

void ProgressBar::Finish(std::int64_t done, absl::Time now) {
  Draw(done, now, "");
  if (options_.on_terminal) out_ << std::endl;
}

void ProgressBar::Draw(std::int64_t done, absl::Time now, const std::string& note) {
  shown_ = now;
  std::string line = RenderProgress(done, options_.total, options_.unit, now - options_.start);
  if (!note.empty()) line += "  " + note;
  if (options_.on_terminal) {
    out_ << kEraseLine << line << std::flush;
  } else {
    out_ << line << std::endl;
  }
}

}  // namespace everfold
