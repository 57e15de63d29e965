#include "everfold/store/verify/commit_order.h"

#include <algorithm>

#include "absl/strings/str_format.h"

namespace everfold {
namespace {

// More than the commits of any group; beyond it sequences are not what they should be, and order is not waited for.
constexpr std::size_t kMaxOpen = 1 << 17;

}  // namespace

void CommitOrder::Reach(Sequence next) {
  if (next > largest_ || open_.size() > kMaxOpen) CheckUpTo(next);
}

void CommitOrder::Add(const ChunkHeader& chunk, Sequence sequence, absl::Time recorded_at) {
  open_.push_back({sequence, recorded_at, chunk.partition, chunk.chunk_number, chunk.first_offset});
  largest_ = std::max(largest_, sequence);
}

void CommitOrder::End() { CheckUpTo(Sequence::Max()); }

void CommitOrder::CheckUpTo(Sequence next) {
  std::sort(open_.begin(), open_.end(), [](const Place& a, const Place& b) { return a.sequence < b.sequence; });
  const auto end =
      std::partition_point(open_.begin(), open_.end(), [next](const Place& place) { return place.sequence < next; });
  std::for_each(open_.begin(), end, [this](const Place& place) { Check(place); });
  open_.erase(open_.begin(), end);
}

void CommitOrder::Check(const Place& place) {
  if (place.sequence < last_) {
    return Find(place, absl::StrFormat("commit %d comes after commit %d", place.sequence.value(), last_.value()));
  }
  if (place.sequence > last_.Next()) {
    Find(place, absl::StrFormat("commits %d to %d are missing before commit %d", last_.value() + 1,
                                place.sequence.value() - 1, place.sequence.value()));
  }
  const bool same_commit = place.sequence == last_;
  last_ = place.sequence;
  if (place.recorded_at < last_recorded_at_) {
    Find(place, absl::StrFormat("commit %d was recorded before the one before it", place.sequence.value()));
  } else if (same_commit && place.recorded_at != last_recorded_at_ && last_recorded_at_ != absl::InfinitePast()) {
    Find(place, absl::StrFormat("the parts of commit %d were recorded at different times", place.sequence.value()));
  }
  last_recorded_at_ = std::max(last_recorded_at_, place.recorded_at);
}

void CommitOrder::Find(const Place& place, std::string what) {
  findings_.Add({place.partition, place.chunk_number, place.offset, std::move(what)});
}

}  // namespace everfold
