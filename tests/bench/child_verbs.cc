#include <unistd.h>

#include <iostream>
#include <thread>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "everfold/base/status.h"
#include "tests/bench/bench_run.h"
#include "tests/bench/child.h"
#include "tests/bench/closed_loop.h"
#include "tests/bench/open_store.h"
#include "tests/bench/store_target.h"

namespace everfold::bench {
namespace {

constexpr absl::Duration kTellEvery = absl::Milliseconds(2);

}  // namespace

absl::Status AppendUntilKilled(const std::string& directory) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<OpenStore> store, OpenStore::Open(directory));
  Streams streams;
  const Payloads payloads(kEventBytes);
  StoreTarget target(store->store(), streams, payloads, {.exact_versions = false});
  absl::Status failure;
  std::atomic<bool> ended{false};
  const std::jthread loop([&] {
    failure = RunClosedLoop(target, {.callers = 256}).status();
    ended = true;
  });
  while (!ended) {
    std::cout << store->CountEvents() << std::endl;
    absl::SleepFor(kTellEvery);
  }
  return failure;
}

absl::Status TimeOpen(const std::string& directory) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<OpenStore> store, OpenStore::Open(directory));
  std::cout << absl::StrFormat("%.6f %.6f %d", absl::ToDoubleSeconds(store->log_opened_in()),
                               absl::ToDoubleSeconds(store->store_opened_in()), store->CountEvents())
            << std::endl;
  _exit(0);
}

}  // namespace everfold::bench
