#include "everfold/log/embedded/store_identity.h"

#include <rocksdb/db.h>

#include <cstring>
#include <string>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/partitioning.h"
#include "everfold/log/embedded/chunk_key.h"
#include "everfold/log/embedded/database.h"

namespace everfold {
namespace {

constexpr char kIdentityFormat = 0;
constexpr std::size_t kEpochBytes = 16;
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kPartitionsAt = 1 + kEpochBytes + kKeyBytes;

// Format (1 byte), epoch (16), key (32), partitions (4, little-endian).
std::string Encode(const LogIdentity& identity) {
  std::string bytes(1, kIdentityFormat);
  bytes += identity.epoch.bytes;
  bytes += identity.key;
  bytes.append(reinterpret_cast<const char*>(&identity.partitions), sizeof(identity.partitions));
  return bytes;
}

absl::StatusOr<LogIdentity> Decode(const std::string& bytes) {
  LogIdentity identity;
  if (bytes.size() != kPartitionsAt + sizeof(identity.partitions) || bytes[0] != kIdentityFormat) {
    return DataLoss("the store's identity is not of a format that this version knows");
  }
  identity.epoch.bytes = bytes.substr(1, kEpochBytes);
  identity.key = bytes.substr(1 + kEpochBytes, kKeyBytes);
  std::memcpy(&identity.partitions, bytes.data() + kPartitionsAt, sizeof(identity.partitions));
  if (identity.partitions < 1 || identity.partitions > kMaxPartitions) {
    return DataLoss(absl::StrFormat("the store's identity names %d partitions", identity.partitions));
  }
  return identity;
}

absl::Status RefuseData(rocksdb::DB& database) {
  const std::unique_ptr<rocksdb::Iterator> first(database.NewIterator({}));
  first->SeekToFirst();
  EVERFOLD_RETURN_IF_ERROR(StatusOf(first->status(), "looking for data in a store without an identity failed"));
  return first->Valid() ? DataLoss("the store has data but no identity") : absl::OkStatus();
}

absl::StatusOr<LogIdentity> Create(rocksdb::DB& database, std::uint32_t partitions, RandomSource& random) {
  EVERFOLD_RETURN_IF_ERROR(RefuseData(database));
  const LogIdentity identity{.epoch = {random.Bytes(kEpochBytes)},
                             .partitions = partitions == 0 ? kDefaultPartitions : partitions,
                             .key = random.Bytes(kKeyBytes)};
  rocksdb::WriteOptions synced;
  synced.sync = true;
  EVERFOLD_RETURN_IF_ERROR(StatusOf(database.Put(synced, kIdentityKey, Encode(identity)), "writing the identity"));
  // Out of the write-ahead log before the first append: a store that lost that log must not look like a new one.
  EVERFOLD_RETURN_IF_ERROR(StatusOf(database.Flush({}), "writing the identity"));
  return identity;
}

}  // namespace

absl::StatusOr<LogIdentity> LoadOrCreateIdentity(rocksdb::DB& database, std::uint32_t partitions,
                                                 RandomSource& random) {
  std::string bytes;
  const rocksdb::Status found = database.Get({}, kIdentityKey, &bytes);
  if (found.IsNotFound()) return Create(database, partitions, random);
  EVERFOLD_RETURN_IF_ERROR(StatusOf(found, "reading the store's identity failed"));
  EVERFOLD_ASSIGN_OR_RETURN(LogIdentity identity, Decode(bytes));
  if (partitions == 0 || partitions == identity.partitions) return identity;
  return Error(
      absl::StatusCode::kFailedPrecondition, reason::kStoreMismatch,
      absl::StrFormat("the store was created with %d partitions and cannot be opened with %d: the number of "
                      "partitions is fixed",
                      identity.partitions, partitions),
      {{"actual_partitions", std::to_string(identity.partitions)}, {"asked_partitions", std::to_string(partitions)}});
}

}  // namespace everfold
