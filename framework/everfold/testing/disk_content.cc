#include "everfold/testing/disk_content.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace everfold {
namespace {

// From the start of the range to the end of its first sector.
std::uint64_t EndOfSector(std::uint64_t from, std::uint64_t to) {
  return std::min(to, (from / DiskContent::kSectorBytes + 1) * DiskContent::kSectorBytes);
}

}  // namespace

void DiskContent::Write(std::uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) return;
  Note(offset, offset + bytes.size());
  if (offset + bytes.size() > bytes_.size()) Resize(offset + bytes.size());
  bytes.copy(bytes_.data() + offset, bytes.size());
}

void DiskContent::Resize(std::uint64_t size) {
  if (size == bytes_.size()) return;
  if (size < bytes_.size()) Note(size, bytes_.size());
  earlier_sizes_.push_back({bytes_.size(), false});
  bytes_.resize(size);
}

void DiskContent::Note(std::uint64_t from, std::uint64_t to) {
  std::string before = from < bytes_.size() ? bytes_.substr(from, to - from) : std::string();
  unsynced_.push_back({from, to - from, std::move(before), false});
}

void DiskContent::Sync() {
  SettleAbandonedSizes();
  SettleAbandonedWrites();
}

void DiskContent::FailSync() {
  for (Overwritten& write : unsynced_) write.abandoned = true;
  for (SizeBefore& earlier : earlier_sizes_) earlier.abandoned = true;
}

// A change of the size since the failed sync is durable now. Without one, the size is that of before the failed sync or
// later, but what was written and synced since can be read.
void DiskContent::SettleAbandonedSizes() {
  if (!earlier_sizes_.empty() && !earlier_sizes_.back().abandoned) earlier_sizes_.clear();
  std::uint64_t synced_end = 0;
  for (const Overwritten& write : unsynced_) {
    if (!write.abandoned) synced_end = std::max(synced_end, write.end());
  }
  for (SizeBefore& earlier : earlier_sizes_) earlier.size = std::max(earlier.size, synced_end);
}

// What was written again and synced since is durable. Of the rest nothing is known still.
void DiskContent::SettleAbandonedWrites() {
  std::vector<Overwritten> left;
  const auto keep = [&left](const Overwritten& write, std::uint64_t from, std::uint64_t to) {
    if (from >= to) return;
    const std::uint64_t skipped = std::min<std::uint64_t>(from - write.offset, write.before.size());
    left.push_back({from, to - from, write.before.substr(skipped, to - from), true});
  };
  for (Overwritten& synced : unsynced_) {
    if (synced.abandoned) {
      left.push_back(std::move(synced));
      continue;
    }
    const std::vector<Overwritten> abandoned = std::exchange(left, {});
    for (const Overwritten& write : abandoned) {
      keep(write, write.offset, std::min(write.end(), synced.offset));
      keep(write, std::max(write.offset, synced.end()), write.end());
    }
  }
  unsynced_ = std::move(left);
}

void DiskContent::LosePower(RandomSource& random) {
  if (unsynced_.empty() && earlier_sizes_.empty()) return;
  const std::uint64_t size = DrawSize(random);
  if (!OnlyAppendedInOrder()) LoseWrites(random);
  bytes_.resize(size);
  Become(std::move(bytes_));
}

bool DiskContent::OnlyAppendedInOrder() const {
  if (!appends_in_order_ || earlier_sizes_.empty()) return false;
  const std::uint64_t durable_size = earlier_sizes_.front().size;
  return std::all_of(unsynced_.begin(), unsynced_.end(), [durable_size](const Overwritten& write) {
    return write.before.empty() && write.offset >= durable_size;
  });
}

void DiskContent::LoseWrites(RandomSource& random) {
  std::uint64_t longest = bytes_.size();
  for (const SizeBefore& earlier : earlier_sizes_) longest = std::max(longest, earlier.size);
  bytes_.resize(longest);  // what was cut off may come back
  switch (random.Below(4)) {
    case 0:
      break;  // all of it had reached the disk
    case 1:
      std::for_each(unsynced_.rbegin(), unsynced_.rend(), [this](const auto& w) { TakeBack(w, w.offset, w.end()); });
      break;
    case 2:
      LoseLastWrites(random);
      break;
    default:
      LoseSectors(random);
  }
}

void DiskContent::Become(std::string bytes) {
  bytes_ = std::move(bytes);
  unsynced_.clear();
  earlier_sizes_.clear();
}

std::uint64_t DiskContent::DrawSize(RandomSource& random) const {
  const std::uint64_t way = random.Below(4);
  if (way == 0 || earlier_sizes_.empty()) return bytes_.size();
  if (way == 1) return earlier_sizes_.front().size;
  const std::size_t change = random.Below(earlier_sizes_.size());
  const std::uint64_t before = earlier_sizes_[change].size;
  const std::uint64_t after = change + 1 < earlier_sizes_.size() ? earlier_sizes_[change + 1].size : bytes_.size();
  return way == 2 || after <= before ? before : before + random.Below(after - before + 1);
}

void DiskContent::TakeBack(const Overwritten& write, std::uint64_t from, std::uint64_t to) {
  const std::uint64_t had_end = std::clamp(write.offset + write.before.size(), from, to);
  if (had_end > from) write.before.copy(bytes_.data() + from, had_end - from, from - write.offset);
  std::fill(bytes_.begin() + static_cast<std::ptrdiff_t>(had_end), bytes_.begin() + static_cast<std::ptrdiff_t>(to),
            '\0');
}

// The writes reached the disk in their order, and the last one of them in part.
void DiskContent::LoseLastWrites(RandomSource& random) {
  if (unsynced_.empty()) return;
  const std::size_t torn = random.Below(unsynced_.size());
  for (std::size_t i = unsynced_.size() - 1; i > torn; --i) {
    TakeBack(unsynced_[i], unsynced_[i].offset, unsynced_[i].end());
  }
  const Overwritten& write = unsynced_[torn];
  TakeBack(write, write.offset + random.Below(write.length), write.end());
}

// Each sector on its own. Backwards: once a write is kept in a sector, so are those before it.
void DiskContent::LoseSectors(RandomSource& random) {
  const std::uint64_t kept_percent = random.Below(101);
  const std::uint64_t damaged_percent = random.Below(2) * 10;
  std::unordered_set<std::uint64_t> settled;
  for (auto write = unsynced_.rbegin(); write != unsynced_.rend(); ++write) {
    for (std::uint64_t from = write->offset, to = 0; from < write->end(); from = to) {
      to = EndOfSector(from, write->end());
      if (settled.contains(from / kSectorBytes)) continue;
      const bool kept = random.Below(100) < kept_percent;
      const bool damaged = random.Below(100) < damaged_percent;
      if (kept && damaged) FlipBit(from, to, random);
      if (!kept) TakeBack(*write, damaged ? from + random.Below(to - from) : from, to);
      if (kept || damaged) settled.insert(from / kSectorBytes);
    }
  }
}

void DiskContent::FlipBit(std::uint64_t from, std::uint64_t to, RandomSource& random) {
  bytes_[from + random.Below(to - from)] ^= static_cast<char>(1u << random.Below(8));
}

}  // namespace everfold
