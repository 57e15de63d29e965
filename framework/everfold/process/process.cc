#include "everfold/process/process.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/process/process_runner.h"

namespace everfold {
namespace {

constexpr absl::Duration kLongestTime = absl::Hours(24 * 366);

absl::Status CheckTime(const char* option, absl::Duration time) {
  if (time > absl::ZeroDuration() && time <= kLongestTime) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
               absl::StrFormat("%s of a process is longer than 0 and at most %s, not %s", option,
                               absl::FormatDuration(kLongestTime), absl::FormatDuration(time)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Process>> Process::Open(ProcessRunnerOptions options, ProcessType type,
                                                       EventStore& store, CommandHandler& commands,
                                                       Executor& executor) {
  static const SystemClock* const system_clock = new SystemClock;
  static SystemRandom* const system_random = new SystemRandom;
  EVERFOLD_RETURN_IF_ERROR(type.Validate());
  EVERFOLD_RETURN_IF_ERROR(CheckTime("longest_sleep", options.longest_sleep));
  EVERFOLD_RETURN_IF_ERROR(CheckTime("timers_read_ahead", options.timers_read_ahead));
  if (options.clock == nullptr) options.clock = system_clock;
  if (options.random == nullptr) options.random = system_random;
  return ProcessRunner::Open(std::move(options), std::move(type), store, commands, executor);
}

}  // namespace everfold
