// A store on disk with a memory of what it acknowledged, for tests of what is made of it: backups and salvage.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "everfold/base/clock.h"
#include "everfold/log/embedded/embedded_log.h"
#include "everfold/runtime/asio_executor.h"
#include "everfold/store/event_store.h"

namespace everfold {

// Threading: one thread.
class CopiedStore {
 public:
  // Opens what is there, or makes a store of four partitions. Without status() OK it is of no use.
  explicit CopiedStore(const std::filesystem::path& directory);
  ~CopiedStore();
  CopiedStore(const CopiedStore&) = delete;
  CopiedStore& operator=(const CopiedStore&) = delete;

  const absl::Status& status() const { return status_; }
  const std::string& index_began_anew() const { return index_began_anew_; }  // why
  EmbeddedLog& log() { return *log_; }
  EventStore& store() { return *store_; }

  // So many commits, each of one to three streams. They are acknowledged when it returns.
  void Append(int commits);
  // The number of the next commit: one with a number that is known is not appended again.
  void GoOnFrom(int number) { appended_ = number; }
  // Starts them, and calls `then` before they have ended.
  void AppendAround(int commits, const std::function<void()>& then);
  absl::Status SealAll();
  absl::StatusOr<MadeBackup> Backup(const std::string& directory);
  absl::Status Verify();
  void Close();

  // Acknowledged so far: the payload of each version of each stream.
  using Ledger = std::map<std::string, std::vector<std::string>>;
  const Ledger& ledger() const { return ledger_; }
  // What the store has of the streams of a ledger.
  Ledger Read(const Ledger& streams) const;

 private:
  SystemClock clock_;
  SystemRandom random_;
  AsioExecutor executor_{2};
  std::unique_ptr<EmbeddedLog> log_;
  std::unique_ptr<EventStore> store_;
  absl::Status status_;
  std::string index_began_anew_;
  Ledger ledger_;
  int appended_ = 0;
};

}  // namespace everfold
