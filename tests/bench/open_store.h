// A store as an application opens it: the embedded log with all its threads, the index on disk, the event store.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/base/clock.h"
#include "everfold/base/random.h"
#include "everfold/log/embedded/embedded_log.h"
#include "everfold/runtime/asio_executor.h"
#include "everfold/store/event_store.h"

namespace everfold::bench {

// Threading: as EventStore. Destroyed without Close it is a crash.
class OpenStore {
 public:
  // In `directory`, which is made where it is missing: log/ and index/.
  static absl::StatusOr<std::unique_ptr<OpenStore>> Open(const std::string& directory, int executor_threads = 1);

  EventStore& store() { return *store_; }
  EmbeddedLog& log() { return *log_; }
  Executor& executor() { return executor_; }
  const Clock& clock() const { return clock_; }
  RandomSource& random() { return random_; }
  // That the log holds, durably.
  std::uint64_t CountEvents() const;
  // Returns once everything durable is sealed.
  absl::Status SealAll();
  absl::Status Close();

  // How long the two parts took to open.
  absl::Duration log_opened_in() const { return log_opened_in_; }
  absl::Duration store_opened_in() const { return store_opened_in_; }

 private:
  explicit OpenStore(int executor_threads) : executor_(executor_threads) {}

  SystemClock clock_;
  SystemRandom random_;
  AsioExecutor executor_;
  std::unique_ptr<EmbeddedLog> log_;
  std::unique_ptr<EventStore> store_;
  absl::Duration log_opened_in_;
  absl::Duration store_opened_in_;
};

// Where the parts of a store in `directory` are.
std::string LogDirectory(const std::string& directory);
std::string IndexDirectory(const std::string& directory);

}  // namespace everfold::bench
