// Drives a log whose callbacks come on another thread, one call at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "everfold/log/embedded/embedded_log.h"

namespace everfold {

// Appends and waits.
absl::Status AppendAndWait(PartitionLog& log, std::vector<ChunkAppend> group);
void CloseAndWait(PartitionLog& log);
absl::Status SealAndWait(EmbeddedLog& log);

// For the delays of logs that are opened here.
Executor& LogExecutor();

// A small journal, so that a few chunks fill it, and no space that is kept free.
EmbeddedLogOptions SmallLog(const std::string& directory, std::uint32_t partitions = 0);

// Opens a SmallLog, or fails the test.
std::unique_ptr<EmbeddedLog> OpenOrDie(const std::string& directory, std::uint32_t partitions = 0);

// What reading a partition from its start came to: the chunks, and why it ended (OK: at the head).
struct Reading {
  std::vector<std::string> chunks;
  absl::Status status;
};
Reading ReadPartition(const PartitionLog& log, std::uint32_t partition);

}  // namespace everfold
