#include "everfold/log/embedded/sealed_checkpoint.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_format.h"
#include "everfold/log/embedded/storage_error.h"

namespace everfold {
namespace {

constexpr std::uint32_t kFormatVersion = 1;
constexpr std::size_t kEpochBytes = 16;
constexpr std::size_t kHeadsAt = 40;
constexpr std::size_t kHeadBytes = 48;
constexpr std::size_t kChecksumBytes = 8;

template <class Integer>
void Put(std::string& out, Integer value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <class Integer>
Integer GetAt(std::string_view bytes, std::size_t at) {
  Integer value;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

PartitionHead HeadAt(std::string_view bytes, std::size_t at) {
  PartitionHead head{Offset(GetAt<std::uint64_t>(bytes, at)), GetAt<std::uint64_t>(bytes, at + 8), {}};
  std::memcpy(head.chain.digest.data(), bytes.data() + at + 16, head.chain.digest.size());
  return head;
}

bool Whole(std::string_view bytes) {
  if (bytes.size() < kHeadsAt + kChecksumBytes || (bytes.size() - kHeadsAt - kChecksumBytes) % kHeadBytes != 0) {
    return false;
  }
  const std::size_t content = bytes.size() - kChecksumBytes;
  return XXH3_64bits(bytes.data(), content) == GetAt<std::uint64_t>(bytes, content);
}

}  // namespace

std::string EncodeSealedCheckpoint(const SealedCheckpoint& checkpoint, const Epoch& epoch) {
  std::string bytes;
  Put(bytes, kFormatVersion);
  Put(bytes, static_cast<std::uint32_t>(checkpoint.heads.size()));
  bytes += epoch.bytes;
  Put(bytes, checkpoint.group.group);
  Put(bytes, checkpoint.group.checksum);
  for (const PartitionHead& head : checkpoint.heads) {
    Put(bytes, head.offset.value());
    Put(bytes, head.chunk_number);
    bytes.append(reinterpret_cast<const char*>(head.chain.digest.data()), head.chain.digest.size());
  }
  Put(bytes, XXH3_64bits(bytes.data(), bytes.size()));
  return bytes;
}

absl::StatusOr<SealedCheckpoint> DecodeSealedCheckpoint(std::string_view bytes, const Epoch& epoch,
                                                        std::uint32_t partitions) {
  if (!Whole(bytes)) return DataLoss("the checkpoint of the sealed chunks is damaged");
  if (GetAt<std::uint32_t>(bytes, 0) != kFormatVersion) {
    return Error(absl::StatusCode::kFailedPrecondition, reason::kFormatUnknown,
                 absl::StrFormat("the checkpoint of the sealed chunks has format version %d, this program knows %d",
                                 GetAt<std::uint32_t>(bytes, 0), kFormatVersion));
  }
  const Epoch said{std::string(bytes.substr(8, kEpochBytes))};
  if (said != epoch || GetAt<std::uint32_t>(bytes, 4) != partitions) {
    return DataLoss(absl::StrFormat("the sealed chunks are of the store with epoch %s and %d partitions, this one has "
                                    "epoch %s and %d",
                                    said.ToString(), GetAt<std::uint32_t>(bytes, 4), epoch.ToString(), partitions));
  }
  SealedCheckpoint checkpoint{.group = {GetAt<std::uint64_t>(bytes, 24), GetAt<std::uint64_t>(bytes, 32)}, .heads = {}};
  for (std::size_t i = 0; i < partitions; ++i) checkpoint.heads.push_back(HeadAt(bytes, kHeadsAt + i * kHeadBytes));
  return checkpoint;
}

}  // namespace everfold
