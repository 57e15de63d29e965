// Commands of days that are not remembered any more leave RocksDB's files as these are compacted.
#pragma once

#include <atomic>
#include <memory>

#include "everfold/store/index/index_entries.h"

namespace rocksdb {
class CompactionFilter;
}  // namespace rocksdb

namespace everfold {

// Threading: thread-safe.
class ForgottenCommands {
 public:
  ForgottenCommands();
  ~ForgottenCommands();
  ForgottenCommands(const ForgottenCommands&) = delete;
  ForgottenCommands& operator=(const ForgottenCommands&) = delete;

  // From now on those of earlier days. False if it was so before.
  bool Before(Day first) { return first_.exchange(first) != first; }
  const rocksdb::CompactionFilter* filter() const { return filter_.get(); }

 private:
  std::atomic<Day> first_{0};
  const std::unique_ptr<const rocksdb::CompactionFilter> filter_;
};

}  // namespace everfold
