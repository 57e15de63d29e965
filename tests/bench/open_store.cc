#include "tests/bench/open_store.h"

#include <utility>

#include "everfold/base/mutex.h"
#include "everfold/base/status.h"
#include "tests/bench/machine.h"

namespace everfold::bench {

std::string LogDirectory(const std::string& directory) { return directory + "/log"; }
std::string IndexDirectory(const std::string& directory) { return directory + "/index"; }

absl::StatusOr<std::unique_ptr<OpenStore>> OpenStore::Open(const std::string& directory, int executor_threads) {
  std::unique_ptr<OpenStore> opened(new OpenStore(executor_threads));
  const std::int64_t began = NowNanos();
  EmbeddedLogOptions log;
  log.directory = LogDirectory(directory);
  EVERFOLD_ASSIGN_OR_RETURN(opened->log_, EmbeddedLog::Open(std::move(log), opened->executor_, opened->random_));
  const std::int64_t log_open = NowNanos();
  EventStoreOptions store;
  store.index.files = &PosixFiles();
  store.index.directory = IndexDirectory(directory);
  EVERFOLD_ASSIGN_OR_RETURN(opened->store_, EventStore::Open(std::move(store), *opened->log_, opened->executor_,
                                                             opened->clock_, opened->random_));
  opened->log_opened_in_ = absl::Nanoseconds(log_open - began);
  opened->store_opened_in_ = absl::Nanoseconds(NowNanos() - log_open);
  return opened;
}

std::uint64_t OpenStore::CountEvents() const {
  std::uint64_t events = 0;
  for (std::uint32_t i = 0; i < log_->identity().partitions; ++i) events += log_->Head(PartitionId(i)).offset.value();
  return events;
}

absl::Status OpenStore::SealAll() {
  absl::Status sealed;
  Notification done;
  log_->SealAll([&](absl::Status status) {
    sealed = std::move(status);
    done.Notify();
  });
  done.WaitForNotification();
  return sealed;
}

absl::Status OpenStore::Close() {
  Notification store_closed;
  store_->Close([&] { store_closed.Notify(); });
  store_closed.WaitForNotification();
  absl::Status closed;
  Notification log_closed;
  log_->Close([&](absl::Status status) {
    closed = std::move(status);
    log_closed.Notify();
  });
  log_closed.WaitForNotification();
  executor_.Join();
  return closed;
}

}  // namespace everfold::bench
