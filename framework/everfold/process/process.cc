#include "everfold/process/process.h"

#include <utility>

#include "everfold/base/status.h"
#include "everfold/process/process_runner.h"

namespace everfold {

absl::StatusOr<std::unique_ptr<Process>> Process::Open(ProcessRunnerOptions options, ProcessType type,
                                                       EventStore& store, CommandHandler& commands,
                                                       Executor& executor) {
  static const SystemClock* const system_clock = new SystemClock;
  static SystemRandom* const system_random = new SystemRandom;
  EVERFOLD_RETURN_IF_ERROR(type.Validate());
  if (options.clock == nullptr) options.clock = system_clock;
  if (options.random == nullptr) options.random = system_random;
  return ProcessRunner::Open(std::move(options), std::move(type), store, commands, executor);
}

}  // namespace everfold
