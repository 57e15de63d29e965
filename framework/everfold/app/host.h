// What an application runs on in production: threads, the system's clock and randomness, and the embedded log.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/base/clock.h"
#include "everfold/base/random.h"
#include "everfold/log/embedded/embedded_log.h"
#include "everfold/runtime/asio_executor.h"
#include "everfold/store/event_store.h"

namespace everfold {

struct HostOptions {
  std::string data_directory;    // the log is in <data_directory>/log, its index in <data_directory>/index
  std::uint32_t partitions = 0;  // of a new store; 0: the default
  int threads = 0;               // 0: one for each processor, at least two
  bool create = true;            // false: refuse where there is no store yet
};

// Threading: one thread. Lifetime: outlives what runs on it.
class Host {
 public:
  // As EmbeddedLog::Open; INVALID_ARGUMENT, and what to do, if the data directory cannot be written, or holds no store
  // where none is to be created.
  static absl::StatusOr<std::unique_ptr<Host>> Open(const HostOptions& options);

  PartitionLog& log() { return *log_; }
  EmbeddedLog& embedded_log() { return *log_; }
  Executor& executor() { return executor_; }
  const Clock& clock() const { return clock_; }
  RandomSource& random() { return random_; }
  // Of a store on this log.
  EventStoreOptions store_options() const;

  // Closes the log, and lets every thread finish. Blocks. Nothing may be posted any more but by what still runs.
  absl::Status Close();

 private:
  Host(std::string data_directory, int threads) : data_directory_(std::move(data_directory)), executor_(threads) {}

  const std::string data_directory_;
  SystemClock clock_;
  SystemRandom random_;
  AsioExecutor executor_;
  std::unique_ptr<EmbeddedLog> log_;
};

// The host of a store that is there, for what an application at work could be asked to do in its place: where one is at
// work, the error says so.
absl::StatusOr<std::unique_ptr<Host>> OpenStopped(const std::string& data_directory);

// Calls `close` with a Task, and blocks until that was called. Not from a task of an executor.
void WaitForClose(absl::AnyInvocable<void(Task)> close);

}  // namespace everfold
