#include "everfold/log/embedded/store_identity.h"

#include <xxhash.h>

#include <cstring>

#include "absl/strings/str_format.h"
#include "everfold/event/partitioning.h"
#include "everfold/log/embedded/storage_error.h"

namespace everfold {
namespace {

constexpr std::string_view kMagic = "EVID";
constexpr std::uint32_t kFormatVersion = 1;
constexpr std::size_t kEpochBytes = 16;
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kIdentityBytes = 68;

template <class Integer>
Integer GetAt(std::string_view bytes, std::size_t at) {
  Integer value;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

template <class Integer>
void Put(std::string& out, Integer value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

}  // namespace

LogIdentity NewIdentity(std::uint32_t partitions, RandomSource& random) {
  return {.epoch = {random.Bytes(kEpochBytes)},
          .partitions = partitions == 0 ? kDefaultPartitions : partitions,
          .key = random.Bytes(kKeyBytes)};
}

// Magic (4), format version (4), epoch (16), key (32), partitions (4), XXH3-64 of all that (8).
std::string EncodeIdentity(const LogIdentity& identity) {
  std::string bytes(kMagic);
  Put(bytes, kFormatVersion);
  bytes += identity.epoch.bytes;
  bytes += identity.key;
  Put(bytes, identity.partitions);
  Put(bytes, XXH3_64bits(bytes.data(), bytes.size()));
  return bytes;
}

absl::StatusOr<LogIdentity> DecodeIdentity(std::string_view bytes) {
  if (bytes.size() < 8 || !bytes.starts_with(kMagic)) return DataLoss("the store's identity file is damaged");
  if (GetAt<std::uint32_t>(bytes, 4) > kFormatVersion) {
    return Error(absl::StatusCode::kFailedPrecondition, reason::kFormatUnknown,
                 absl::StrFormat("the store has format version %d, this program knows versions up to %d",
                                 GetAt<std::uint32_t>(bytes, 4), kFormatVersion));
  }
  if (bytes.size() != kIdentityBytes) return DataLoss("the store's identity file is damaged");
  const LogIdentity identity{.epoch = {std::string(bytes.substr(8, kEpochBytes))},
                             .partitions = GetAt<std::uint32_t>(bytes, 56),
                             .key = std::string(bytes.substr(24, kKeyBytes))};
  if (EncodeIdentity(identity) != bytes) return DataLoss("the store's identity file is damaged");
  if (identity.partitions < 1 || identity.partitions > kMaxPartitions) {
    return DataLoss(absl::StrFormat("the store's identity names %d partitions", identity.partitions));
  }
  return identity;
}

absl::Status CheckPartitions(const LogIdentity& identity, std::uint32_t asked) {
  if (asked == 0 || asked == identity.partitions) return absl::OkStatus();
  return Error(
      absl::StatusCode::kFailedPrecondition, reason::kStoreMismatch,
      absl::StrFormat("the store was created with %d partitions and cannot be opened with %d: the number of "
                      "partitions is fixed",
                      identity.partitions, asked),
      {{"actual_partitions", std::to_string(identity.partitions)}, {"asked_partitions", std::to_string(asked)}});
}

}  // namespace everfold
