// Most commands are new, and a look for each into the files of every day that is remembered would cost more than its
// append. What this filter has not met was never recorded.
//
// A Bloom filter in blocks of one cache line, 10 bits a command: of those that were never recorded one in about a
// hundred is looked for all the same. It grows part by part, each twice as large as the one before, and a part goes
// when all of its commands are forgotten. Beyond its memory it gives up, and whoever asks has to look.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "everfold/store/index/command_digest.h"
#include "everfold/store/index/index_entries.h"

namespace everfold {

// Threading: const calls at the same time; others without any.
class CommandFilter {
 public:
  explicit CommandFilter(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  void Add(const CommandDigest& command, Day day, Day first_remembered);
  // All that were recorded have been added; from now on it tells something.
  void Complete() { complete_ = true; }

  bool MayHave(const CommandDigest& command) const;
  bool gave_up() const { return gave_up_; }
  std::size_t bytes() const { return bytes_; }

 private:
  struct alignas(64) Block {
    std::array<std::uint64_t, 8> bits{};
  };
  struct Part {
    std::vector<Block> blocks;
    std::size_t room = 0;  // for so many more commands
    Day last_day = 0;
  };

  static std::size_t BlockOf(const CommandDigest& command, const Part& part);
  bool AddPart(Day first_remembered);

  const std::size_t max_bytes_;
  std::deque<Part> parts_;  // the last one fills
  std::size_t bytes_ = 0;
  bool complete_ = false;
  bool gave_up_ = false;
};

}  // namespace everfold
