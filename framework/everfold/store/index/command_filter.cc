#include "everfold/store/index/command_filter.h"

#include <algorithm>
#include <cstring>

namespace everfold {
namespace {

constexpr std::size_t kFirstBlocks = 1 << 10;
constexpr std::size_t kBitsOfBlock = 512;
constexpr std::size_t kBitsOfCommand = 10;
constexpr int kProbes = 7;

// Of the part of the digest that the files keep, so that a filter can be filled from them.
std::uint64_t KeyOf(const CommandDigest& command) {
  std::uint64_t key = 0;
  std::memcpy(&key, command.digest.data(), kStoredDigestBytes);
  key *= 0x9e3779b97f4a7c15u;
  return key ^ key >> 32;
}

// The key chooses the block by its upper bits; the probes are to have others.
std::uint64_t ProbesOf(const CommandDigest& command) {
  std::uint64_t probes = KeyOf(command) * 0xd6e8feb86659fd93u;
  return probes ^ probes >> 32;
}

// Calls `visit` with word and bit of each probe, while it returns true.
template <class Visit>
bool AllProbes(std::uint64_t probes, Visit visit) {
  for (int i = 0; i < kProbes; ++i, probes >>= 9) {
    if (!visit(probes >> 6 & 7, std::uint64_t{1} << (probes & 63))) return false;
  }
  return true;
}

}  // namespace

std::size_t CommandFilter::BlockOf(const CommandDigest& command, const Part& part) {
  return static_cast<std::size_t>(static_cast<unsigned __int128>(KeyOf(command)) * part.blocks.size() >> 64);
}

void CommandFilter::Add(const CommandDigest& command, Day day, Day first_remembered) {
  if (gave_up_ || day < first_remembered) return;
  if ((parts_.empty() || parts_.back().room == 0) && !AddPart(first_remembered)) return;
  Part& part = parts_.back();
  --part.room;
  part.last_day = std::max(part.last_day, day);
  Block& block = part.blocks[BlockOf(command, part)];
  AllProbes(ProbesOf(command), [&block](std::size_t word, std::uint64_t bit) {
    block.bits[word] |= bit;
    return true;
  });
}

bool CommandFilter::AddPart(Day first_remembered) {
  const std::size_t blocks = parts_.empty() ? kFirstBlocks : 2 * parts_.back().blocks.size();
  while (!parts_.empty() && parts_.front().last_day < first_remembered) {
    bytes_ -= parts_.front().blocks.size() * sizeof(Block);
    parts_.pop_front();
  }
  // The last ones are not doubled if they would not fit any more.
  std::size_t fitting = blocks;
  while (fitting > kFirstBlocks && bytes_ + fitting * sizeof(Block) > max_bytes_) fitting /= 2;
  if (bytes_ + fitting * sizeof(Block) > max_bytes_) {
    gave_up_ = true;
    parts_.clear();
    bytes_ = 0;
    return false;
  }
  Part& part = parts_.emplace_back();
  part.blocks.resize(fitting);
  part.room = fitting * kBitsOfBlock / kBitsOfCommand;
  bytes_ += fitting * sizeof(Block);
  return true;
}

bool CommandFilter::MayHave(const CommandDigest& command) const {
  if (gave_up_ || !complete_) return true;
  const std::uint64_t probes = ProbesOf(command);
  for (const Part& part : parts_) __builtin_prefetch(&part.blocks[BlockOf(command, part)]);
  return std::any_of(parts_.begin(), parts_.end(), [&](const Part& part) {
    const Block& block = part.blocks[BlockOf(command, part)];
    return AllProbes(probes, [&block](std::size_t word, std::uint64_t bit) { return (block.bits[word] & bit) != 0; });
  });
}

}  // namespace everfold
