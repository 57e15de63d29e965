// Places in the log. See the glossary in docs/glossary.md; none of these numbers converts into another.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "everfold/base/strong_number.h"

namespace everfold {

// Place of an event in its stream: dense, first is 1; 0 = the stream does not exist.
using Version = StrongNumber<struct VersionTag>;
// Place of an event in its partition: dense, first is 1; 0 = before the first.
using Offset = StrongNumber<struct OffsetTag>;
// Store-wide commit number, strictly increasing; 0 = before the first.
using Sequence = StrongNumber<struct SequenceTag>;

// Number of a partition, from 0.
class PartitionId {
 public:
  constexpr PartitionId() = default;
  constexpr explicit PartitionId(std::uint32_t value) : value_(value) {}
  constexpr std::uint32_t value() const { return value_; }
  friend constexpr auto operator<=>(PartitionId, PartitionId) = default;

 private:
  std::uint32_t value_ = 0;
};

struct Position {
  PartitionId partition;
  Offset offset;
  friend auto operator<=>(const Position&, const Position&) = default;
};

// Identity of a store's history: 16 random bytes, new at create and at restore. Positions of different epochs must
// never be compared.
struct Epoch {
  std::string bytes;
  std::string ToString() const;  // hex
  friend bool operator==(const Epoch&, const Epoch&) = default;
};

// What a reader has durably handled: one offset a partition.
struct Checkpoint {
  Epoch epoch;
  std::vector<Offset> offsets;
  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

}  // namespace everfold
