// A store in memory, at work on real threads, for tests of what is made of it: exports and imports.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "everfold/base/clock.h"
#include "everfold/base/random.h"
#include "everfold/log/memory/memory_log.h"
#include "everfold/runtime/asio_executor.h"
#include "everfold/store/event_store.h"
#include "everfold/store/export/export_store.h"
#include "everfold/store/export/import_commits.h"

namespace everfold {

// Threading: one thread.
class ExportedStore {
 public:
  explicit ExportedStore(std::uint32_t partitions, absl::Time now = absl::FromUnixSeconds(1'800'000'000));
  // On the chunks that are there.
  explicit ExportedStore(std::shared_ptr<MemoryLogStorage> storage);
  ~ExportedStore();
  ExportedStore(const ExportedStore&) = delete;
  ExportedStore& operator=(const ExportedStore&) = delete;

  EventStore& store() { return *store_; }
  MemoryLogStorage& storage() { return *storage_; }
  ManualClock& clock() { return clock_; }

  // Waits for it, and expects it to succeed.
  AppendResult Append(AppendRequest request);
  // Commits of all kinds: several streams, tags, times, tenants, headers, outcomes, the framework's own streams,
  // payloads that are no text. Always the same ones.
  void AppendSamples(int commits);

  std::vector<std::string> Export(const ExportOptions& options = {});

 private:
  void Open();

  ManualClock clock_;
  SeededRandom random_{7};
  AsioExecutor executor_{2};
  std::shared_ptr<MemoryLogStorage> storage_;
  std::unique_ptr<MemoryLog> log_;
  std::unique_ptr<EventStore> store_;
};

// Of lines without their breaks.
absl::StatusOr<ImportCounts> ImportLines(const std::vector<std::string>& lines, EventStore& store,
                                         const ImportOptions& options = {});

// What is stored, chunk by chunk as `change` returns it; chunks for which it returns nothing are left out, with all
// that stands behind them in their partition.
std::shared_ptr<MemoryLogStorage> ChangedCopy(
    const MemoryLogStorage& storage, const std::function<std::string(PartitionId, const std::string& chunk)>& change);

}  // namespace everfold
