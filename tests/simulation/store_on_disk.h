// An event store on the embedded log on a disk in memory, in steps that a seed decides, with the ledger of its callers.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "everfold/base/random.h"
#include "everfold/log/embedded/embedded_log.h"
#include "everfold/runtime/manual_executor.h"
#include "everfold/store/event_store.h"
#include "tests/simulation/store_ledger.h"

namespace everfold {

// An append to streams and with expectations as they come.
AppendRequest RandomAppend(RandomSource& random, std::size_t number);

class StoreOnDisk {
 public:
  // Of small files, so that sealing and writing of the index go on all the time.
  StoreOnDisk(std::uint64_t seed, Files& files);
  ~StoreOnDisk();

  // Of the next opening.
  EmbeddedLogOptions& log_options() { return log_options_; }
  EventStoreOptions& store_options() { return store_options_; }

  absl::Status Open();
  bool is_open() const { return store_ != nullptr; }
  EventStore& store() { return *store_; }
  EmbeddedLog& log() { return *log_; }
  ManualExecutor& executor() { return *executor_; }
  RandomSource& random() { return random_; }
  StoreLedger& ledger() { return ledger_; }

  SentAppend& Send(AppendRequest request);
  void SendAgain(SentAppend& sent);
  bool IsOutstanding(const SentAppend& sent) const;
  void CollectAnswers();
  void RunSteps(std::uint64_t count);
  // False, with a violation, if something is never answered.
  bool Settle();
  // Whatever comes of it.
  absl::Status SealAll();
  // Whatever does not come to an end is a violation.
  void Close();

  // The process ends: what it had not told by now it never will.
  void Die();

  // Reads everything, and has the ledger check it. The error of reading.
  absl::Status Check();

 private:
  struct Attempt {
    SentAppend* sent;
    std::shared_ptr<std::optional<absl::StatusOr<AppendResult>>> answer;
  };
  bool RunUntil(const char* what, absl::AnyInvocable<bool()> done);

  bool opening_ = false;
  SeededRandom random_;
  std::unique_ptr<ManualExecutor> executor_;
  EmbeddedLogOptions log_options_;
  EventStoreOptions store_options_;
  std::unique_ptr<EmbeddedLog> log_;
  std::unique_ptr<EventStore> store_;
  StoreLedger ledger_;
  std::vector<Attempt> attempts_;
};

}  // namespace everfold
