// How far the index has come, kept in the same files as its entries.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/log/partition_log.h"
#include "everfold/store/index/index_entries.h"
#include "everfold/store/store_index.h"

namespace everfold {

inline constexpr std::uint16_t kIndexFormatVersion = 4;

struct IndexCheckpoint {
  LogTail tail;
  std::vector<Day> days;  // on which commands were recorded, in order
  // Commands of earlier days were left out, or forgotten, all or some of them. It never steps back: what is gone stays
  // so, also for an index that is opened with a longer retention.
  Day commands_since = 0;

  void AddDay(Day day);
  void ForgetCommandsBefore(Day first);
};

std::string EncodeCheckpoint(const IndexCheckpoint& checkpoint);
// DATA_LOSS for other bytes, or another number of partitions.
absl::StatusOr<IndexCheckpoint> DecodeCheckpoint(std::string_view bytes, std::uint32_t partitions);

// Whose index it is: format, epoch, partitions.
std::string EncodeIndexIdentity(const LogIdentity& log);
// FAILED_PRECONDITION (STORE_MISMATCH), with the difference, unless the bytes are the identity of `log`'s index.
absl::Status CheckIndexIdentity(std::string_view bytes, const LogIdentity& log);

}  // namespace everfold
