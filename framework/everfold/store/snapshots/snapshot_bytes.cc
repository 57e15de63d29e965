#include "everfold/store/snapshots/snapshot_bytes.h"

#include "everfold/base/error.h"
#include "everfold/event/chunk_bytes.h"

namespace everfold {
namespace {

constexpr unsigned char kFormat = 1;

}  // namespace

std::string EncodeSnapshot(const Snapshot& snapshot, std::string_view key) {
  std::string bytes;
  bytes.reserve(1 + key.size() + kMaxVarintBytes + snapshot.state.size());
  bytes.push_back(static_cast<char>(kFormat));
  bytes.append(key);
  AppendVarint(bytes, snapshot.version.value());
  bytes.append(snapshot.state);
  return bytes;
}

absl::StatusOr<std::optional<Snapshot>> DecodeSnapshot(std::string_view bytes, std::string_view key) {
  ByteReader in(bytes);
  if (in.Byte() != kFormat && !in.failed()) return std::nullopt;
  const std::string_view saved_under = in.Bytes(kSnapshotKeyBytes);
  const Version version(in.Varint());
  if (in.failed()) {
    return Error(absl::StatusCode::kDataLoss, reason::kDataLoss, std::string("a snapshot is damaged: ") + in.failure());
  }
  if (saved_under != key) return std::nullopt;
  return Snapshot{version, std::string(in.rest())};
}

}  // namespace everfold
