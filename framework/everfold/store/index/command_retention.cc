#include "everfold/store/index/command_retention.h"

#include <algorithm>
#include <limits>

namespace everfold {
namespace {

constexpr Day kMostDays = std::numeric_limits<Day>::max();

Day DaysOf(absl::Duration retention) {
  const std::int64_t days = absl::ToInt64Hours(absl::Ceil(retention, absl::Hours(24))) / 24;
  return static_cast<Day>(std::clamp<std::int64_t>(days, 1, kMostDays));
}

}  // namespace

CommandRetention::CommandRetention(absl::Duration retention) : days_(DaysOf(retention)) {}

Day CommandRetention::FirstDay(absl::Time last_recorded_at) const {
  const Day last = last_recorded_at == absl::InfinitePast() ? 0 : DayOf(last_recorded_at);
  return last > days_ ? last - days_ : 0;
}

absl::Time BeginOf(Day day) { return absl::UnixEpoch() + absl::Hours(24) * static_cast<std::int64_t>(day); }

}  // namespace everfold
