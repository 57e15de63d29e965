// What every log must do, as tests. A backend joins by describing how to make it:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, PartitionLogContract,
//                            testing::Values([] { return std::make_unique<MemoryBackend>(); }));
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "everfold/base/mutex.h"
#include "everfold/log/partition_log.h"
#include "gtest/gtest.h"

namespace everfold {

// One store, opened once at a time.
class LogBackend {
 public:
  virtual ~LogBackend() = default;
  // Opens the store; the first time it is created, with so many partitions.
  virtual absl::StatusOr<std::unique_ptr<PartitionLog>> Open(std::uint32_t partitions) = 0;
  // Ends the log as a crash does: what was acknowledged is in the store, what was not may be.
  virtual void Crash(std::unique_ptr<PartitionLog> log) = 0;
  // Lets the log work until `event` has happened; false if it cannot happen any more.
  virtual bool Await(const Notification& event) = 0;
};

using LogBackendFactory = std::function<std::unique_ptr<LogBackend>()>;

// An append whose outcome is still to come.
struct PendingAppend {
  Notification ended;
  absl::Status status;
};

struct ReadChunk {
  std::string bytes;
  PartitionHead head;
  friend bool operator==(const ReadChunk&, const ReadChunk&) = default;
};

class PartitionLogContract : public testing::TestWithParam<LogBackendFactory> {
 protected:
  PartitionLogContract() : backend_(GetParam()()) {}
  ~PartitionLogContract() override;

  void Open(std::uint32_t partitions = 16);
  void CloseAndReopen();
  void CrashAndReopen();

  // A chunk of `events` events for the partition, standing where the last one that this made ends.
  ChunkAppend NextChunk(std::uint32_t partition, std::uint32_t events = 1, std::size_t payload_bytes = 10);
  // Starts an append of the group. The result lives as long as the test.
  PendingAppend& Start(std::vector<ChunkAppend> group);
  absl::Status Await(PendingAppend& append);
  absl::Status Append(std::vector<ChunkAppend> group) { return Await(Start(std::move(group))); }
  // Appends NextChunk(partition, events) and returns it.
  ChunkAppend Add(std::uint32_t partition, std::uint32_t events = 1, std::size_t payload_bytes = 10);
  void Close();
  // Takes back what NextChunk gave out since the durable head.
  void ForgetUnwritten(std::uint32_t partition);

  std::vector<ReadChunk> ReadAll(std::uint32_t partition, std::uint64_t after = 0);
  PartitionHead HeadOf(std::uint32_t partition) const { return log_->Head(PartitionId(partition)); }

  std::unique_ptr<LogBackend> backend_;
  std::unique_ptr<PartitionLog> log_;

 private:
  std::uint32_t partitions_ = 0;
  std::map<std::uint32_t, PartitionHead> ends_;  // what NextChunk has given out
  std::vector<std::unique_ptr<PendingAppend>> appends_;
};

// What the chunk looks like to a reader.
ReadChunk AsRead(const ChunkAppend& append);

}  // namespace everfold
