// The bytes of one file of a FaultyDisk, and what a loss of power may leave of them.
//
// What is durable is not kept as a copy: every write notes what it overwrites, and a loss of power takes writes back.
// A sync forgets the notes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "everfold/base/random.h"

namespace everfold {

// Threading: one thread at a time.
class DiskContent {
 public:
  // What reaches a disk at once: of a longer write any sectors may be there and others not.
  static constexpr std::uint64_t kSectorBytes = 512;

  const std::string& bytes() const { return bytes_; }

  // Beyond the end it extends the content, with zeros in between.
  void Write(std::uint64_t offset, std::string_view bytes);
  void Resize(std::uint64_t size);

  void Sync();
  // As Linux has it: what was not synced may be durable or not, and no later sync makes it so.
  void FailSync();

  // From now on what is appended is lost from the end only. What else is written is as before.
  void KeepAppendsInOrder() { appends_in_order_ = true; }

  // Of the writes that are not durable each sector is kept as it was after any of them, torn, or kept with bits
  // flipped. The size is any that it had since it was durable, or one on the way from one to the next. No other byte
  // changes.
  void LosePower(RandomSource& random);

  // Other bytes in place of these, all durable.
  void Become(std::string bytes);

 private:
  // The range of a write, and what was there before. Where `before` is shorter the content ended, which is as zeros.
  struct Overwritten {
    std::uint64_t offset;
    std::uint64_t length;
    std::string before;
    bool abandoned;  // by a failed sync

    std::uint64_t end() const { return offset + length; }
  };
  struct SizeBefore {
    std::uint64_t size;
    bool abandoned;
  };

  void Note(std::uint64_t from, std::uint64_t to);
  void SettleAbandonedSizes();
  void SettleAbandonedWrites();
  bool OnlyAppendedInOrder() const;
  void LoseWrites(RandomSource& random);
  std::uint64_t DrawSize(RandomSource& random) const;
  void TakeBack(const Overwritten& write, std::uint64_t from, std::uint64_t to);
  void LoseLastWrites(RandomSource& random);
  void LoseSectors(RandomSource& random);
  void FlipBit(std::uint64_t from, std::uint64_t to, RandomSource& random);

  bool appends_in_order_ = false;
  std::string bytes_;
  std::vector<Overwritten> unsynced_;      // in the order of the writes
  std::vector<SizeBefore> earlier_sizes_;  // in the order of the changes; the first is the durable one
};

}  // namespace everfold
