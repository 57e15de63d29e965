#include "everfold/reaction/reactor.h"

#include <utility>

#include "everfold/base/status.h"
#include "everfold/reaction/reactor_runner.h"
#include "everfold/runtime/disk_thread.h"

namespace everfold {
namespace {

constexpr std::size_t kMaxThreadNameBytes = 15;

std::unique_ptr<Strand> MakeThread(const std::string& name) {
  return std::make_unique<DiskThread>(name.substr(0, kMaxThreadNameBytes));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Reactor>> Reactor::Open(ReactorRunnerOptions options, ReactorType type,
                                                       EventStore& store, Executor& executor) {
  static const SystemClock* const system_clock = new SystemClock;
  static SystemRandom* const system_random = new SystemRandom;
  EVERFOLD_RETURN_IF_ERROR(type.Validate());
  if (options.make_thread == nullptr) options.make_thread = MakeThread;
  if (options.clock == nullptr) options.clock = system_clock;
  if (options.random == nullptr) options.random = system_random;
  return ReactorRunner::Open(std::move(options), std::move(type), store, executor);
}

}  // namespace everfold
