#include "everfold/projection/cached_rows.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "absl/hash/hash.h"
#include "everfold/base/check.h"

namespace everfold {
namespace {

constexpr std::size_t kAlignment = alignof(CachedRow);
constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kFirstBlock = 16 << 10;
constexpr std::size_t kLargestBlock = 2 << 20;  // a huge page, where the system has them

std::size_t Aligned(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

// Some more, because rows grow.
std::size_t RoomFor(std::size_t bytes) { return bytes + bytes / 8; }

// The first eight bytes as a number that compares as they do.
std::uint64_t PrefixOf(std::string_view key) {
  std::uint64_t prefix = 0;
  for (std::size_t i = 0; i < sizeof(prefix); ++i) {
    prefix = prefix << 8 | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0u);
  }
  return prefix;
}

std::string_view CommonPrefix(std::string_view a, std::string_view b) {
  return a.substr(0, static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin()));
}

}  // namespace

CachedRow::CachedRow(std::string_view key, char* bytes, std::uint32_t room)
    : bytes_(bytes), room_(room), key_size_(static_cast<std::uint32_t>(key.size())) {
  std::memcpy(reinterpret_cast<char*>(this + 1), key.data(), key.size());
}

std::size_t CachedRows::HashOf(std::string_view key) { return absl::HashOf(key); }

void CachedRows::ExpectSoon(std::size_t hash) const {
  const auto found = rows_.find(KeyHash{hash});
  if (found == rows_.end()) return;
  const char* const row = reinterpret_cast<const char*>(found->row);
  __builtin_prefetch(row);
  __builtin_prefetch(row + kCacheLine);
}

CachedRow* CachedRows::Find(std::string_view key) const {
  const auto found = rows_.find(HashedKey{HashOf(key), key});
  return found == rows_.end() ? nullptr : found->row;
}

CachedRow& CachedRows::Add(std::string_view key, std::size_t room) {
  const std::size_t bytes = Aligned(sizeof(CachedRow) + key.size() + RoomFor(room));
  char* const place = Allocate(bytes);
  const std::size_t left = bytes - sizeof(CachedRow) - key.size();
  auto* const row = new (place) CachedRow(key, place + (bytes - left), static_cast<std::uint32_t>(left));
  rows_.insert({HashOf(row->key()), row});
  return *row;
}

char* CachedRows::Set(CachedRow& row, std::size_t size, bool exists) {
  if (size > row.room_) {
    const std::size_t room = Aligned(RoomFor(size));
    row.bytes_ = Allocate(room);
    if (row.changed_) changed_bytes_ += room - row.room_;
    row.room_ = static_cast<std::uint32_t>(room);
  }
  row.size_ = static_cast<std::uint32_t>(size);
  row.exists_ = exists;
  last_size_ = size;
  return row.bytes_;
}

void CachedRows::MarkChanged(CachedRow& row) {
  if (row.changed_) return;
  row.changed_ = true;
  changed_.push_back(&row);
  changed_bytes_ += row.memory();
}

std::vector<CachedRow*> CachedRows::TakeChanged() {
  std::vector<std::pair<std::uint64_t, CachedRow*>> by_key;
  by_key.reserve(changed_.size());
  // Many keys begin with the same bytes: what tells them apart is behind those.
  std::string_view common = changed_.empty() ? std::string_view() : changed_[0]->key();
  for (const CachedRow* const row : changed_) common = CommonPrefix(common, row->key());
  for (CachedRow* const row : changed_) by_key.emplace_back(PrefixOf(row->key().substr(common.size())), row);
  std::sort(by_key.begin(), by_key.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : a.second->key() < b.second->key();
  });
  std::vector<CachedRow*> changed = std::exchange(changed_, {});
  changed.clear();
  for (const auto& [prefix, row] : by_key) {
    row->changed_ = false;
    changed.push_back(row);
  }
  changed_bytes_ = 0;
  return changed;
}

void CachedRows::Clear() {
  rows_.clear();
  changed_.clear();
  blocks_.clear();
  free_ = nullptr;
  changed_bytes_ = block_bytes_ = free_bytes_ = used_bytes_ = 0;
}

std::size_t CachedRows::bytes() const { return used_bytes_ + rows_.capacity() * (sizeof(Slot) + 1); }

char* CachedRows::Allocate(std::size_t bytes) {
  if (bytes > free_bytes_) AddBlock(bytes);
  used_bytes_ += bytes;
  free_bytes_ -= bytes;
  return std::exchange(free_, free_ + bytes);
}

void CachedRows::AddBlock(std::size_t least) {
  block_bytes_ = std::clamp(2 * block_bytes_, kFirstBlock, kLargestBlock);
  if (least > block_bytes_) block_bytes_ = (least + kLargestBlock - 1) / kLargestBlock * kLargestBlock;
  const bool is_huge = block_bytes_ >= kLargestBlock;
  free_ = static_cast<char*>(std::aligned_alloc(is_huge ? kLargestBlock : kAlignment, block_bytes_));
  if (free_ == nullptr) throw std::bad_alloc();
  if (is_huge) madvise(free_, block_bytes_, MADV_HUGEPAGE);  // where it cannot be had, it is slower
  blocks_.emplace_back(free_);
  free_bytes_ = block_bytes_;
}

}  // namespace everfold
