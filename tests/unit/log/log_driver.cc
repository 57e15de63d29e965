#include "tests/unit/log/log_driver.h"

#include "everfold/base/check.h"
#include "everfold/base/mutex.h"
#include "everfold/runtime/asio_executor.h"
#include "gtest/gtest.h"

namespace everfold {

absl::Status AppendAndWait(PartitionLog& log, std::vector<ChunkAppend> group) {
  Notification ended;
  absl::Status result;
  log.Append(std::move(group), [&](absl::Status status) {
    result = std::move(status);
    ended.Notify();
  });
  ended.WaitForNotification();
  return result;
}

void CloseAndWait(PartitionLog& log) {
  Notification ended;
  log.Close([&](absl::Status) { ended.Notify(); });
  ended.WaitForNotification();
}

absl::Status SealAndWait(EmbeddedLog& log) {
  Notification ended;
  absl::Status result;
  log.SealAll([&](absl::Status status) {
    result = std::move(status);
    ended.Notify();
  });
  ended.WaitForNotification();
  return result;
}

Executor& LogExecutor() {
  static AsioExecutor& executor = *new AsioExecutor(1);
  return executor;
}

EmbeddedLogOptions SmallLog(const std::string& directory, std::uint32_t partitions) {
  EmbeddedLogOptions options;
  options.directory = directory;
  options.partitions = partitions;
  options.reserved_bytes = 0;
  options.journal_file_bytes = 256 << 10;
  options.max_journal_files = 6;
  options.seal_files = 2;
  return options;
}

std::unique_ptr<EmbeddedLog> OpenOrDie(const std::string& directory, std::uint32_t partitions) {
  SystemRandom random;
  auto opened = EmbeddedLog::Open(SmallLog(directory, partitions), LogExecutor(), random);
  EXPECT_TRUE(opened.ok()) << opened.status();
  EVERFOLD_CHECK(opened.ok());
  return *std::move(opened);
}

Reading ReadPartition(const PartitionLog& log, std::uint32_t partition) {
  Reading reading;
  auto cursor = log.Read(PartitionId(partition), Offset(0));
  if (!cursor.ok()) return {{}, cursor.status()};
  absl::StatusOr<bool> more = (*cursor)->Next();
  for (; more.ok() && *more; more = (*cursor)->Next()) reading.chunks.emplace_back((*cursor)->chunk());
  reading.status = more.status();
  return reading;
}

}  // namespace everfold
