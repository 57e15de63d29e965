#include "everfold/store/index/index_checkpoint.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/store/index/entry_bytes.h"

namespace everfold {
namespace {

constexpr std::int64_t kNothingRecorded = std::numeric_limits<std::int64_t>::min();

std::uint64_t EncodeTime(absl::Time time) {
  return static_cast<std::uint64_t>(time == absl::InfinitePast() ? kNothingRecorded : absl::ToUnixMicros(time));
}

absl::Time DecodeTime(std::uint64_t bits) {
  const auto micros = static_cast<std::int64_t>(bits);
  return micros == kNothingRecorded ? absl::InfinitePast() : absl::FromUnixMicros(micros);
}

PartitionHead TakeHead(ByteReader& bytes) {
  PartitionHead head;
  head.offset = Offset(bytes.Varint());
  head.chunk_number = bytes.Varint();
  const std::string_view digest = bytes.Bytes(head.chain.digest.size());
  std::copy(digest.begin(), digest.end(), head.chain.digest.begin());
  return head;
}

absl::Status Mismatch(const std::string& what) {
  return Error(absl::StatusCode::kFailedPrecondition, reason::kStoreMismatch, what);
}

}  // namespace

void IndexCheckpoint::AddDay(Day day) {
  const auto place = std::lower_bound(days.begin(), days.end(), day);
  if (place == days.end() || *place != day) days.insert(place, day);
}

void IndexCheckpoint::ForgetCommandsBefore(Day first) {
  commands_since = std::max(commands_since, first);
  days.erase(days.begin(), std::lower_bound(days.begin(), days.end(), first));
}

std::string EncodeCheckpoint(const IndexCheckpoint& checkpoint) {
  std::string out;
  AppendVarint(out, checkpoint.tail.last_sequence.value());
  AppendFixed(out, EncodeTime(checkpoint.tail.last_recorded_at), 8);
  AppendVarint(out, checkpoint.tail.heads.size());
  for (const PartitionHead& head : checkpoint.tail.heads) {
    AppendVarint(out, head.offset.value());
    AppendVarint(out, head.chunk_number);
    out.append(head.chain.digest.begin(), head.chain.digest.end());
  }
  AppendFixed(out, checkpoint.commands_since, 4);
  AppendVarint(out, checkpoint.days.size());
  for (const Day day : checkpoint.days) AppendFixed(out, day, 4);
  return out;
}

absl::StatusOr<IndexCheckpoint> DecodeCheckpoint(std::string_view bytes, std::uint32_t partitions) {
  ByteReader in(bytes);
  IndexCheckpoint checkpoint;
  checkpoint.tail.last_sequence = Sequence(in.Varint());
  checkpoint.tail.last_recorded_at = DecodeTime(TakeFixed(in, 8));
  const bool same_count = in.Varint() == partitions;
  for (std::uint32_t partition = 0; same_count && partition < partitions; ++partition) {
    checkpoint.tail.heads.push_back(TakeHead(in));
  }
  checkpoint.commands_since = static_cast<Day>(TakeFixed(in, 4));
  const std::uint64_t days = in.Varint();
  for (std::uint64_t i = 0; i < days && !in.failed(); ++i)
    checkpoint.days.push_back(static_cast<Day>(TakeFixed(in, 4)));
  if (same_count && in.done() && checkpoint.days.size() == days) return checkpoint;
  return Error(absl::StatusCode::kDataLoss, reason::kDataLoss, "the checkpoint does not decode");
}

std::string EncodeIndexIdentity(const LogIdentity& log) {
  std::string out;
  AppendFixed(out, kIndexFormatVersion, 2);
  AppendString(out, log.epoch.bytes);
  AppendFixed(out, log.partitions, 4);
  return out;
}

absl::Status CheckIndexIdentity(std::string_view bytes, const LogIdentity& log) {
  if (bytes == EncodeIndexIdentity(log)) return absl::OkStatus();
  ByteReader in(bytes);
  const std::uint64_t format = TakeFixed(in, 2);
  if (format != kIndexFormatVersion) {
    return Mismatch(absl::StrFormat("it has format %d, this program writes %d", format, kIndexFormatVersion));
  }
  const Epoch epoch{std::string(in.String())};
  const std::uint64_t partitions = TakeFixed(in, 4);
  if (epoch != log.epoch) {
    return Mismatch(
        absl::StrFormat("it belongs to epoch %s, the log has epoch %s", epoch.ToString(), log.epoch.ToString()));
  }
  return Mismatch(absl::StrFormat("it was built for %d partitions, the log has %d", partitions, log.partitions));
}

}  // namespace everfold
