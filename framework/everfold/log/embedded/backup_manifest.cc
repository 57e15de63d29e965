#include "everfold/log/embedded/backup_manifest.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "everfold/base/status.h"
#include "everfold/event/partitioning.h"
#include "everfold/log/embedded/storage_error.h"

namespace everfold {
namespace {

constexpr std::string_view kMagic = "EVBK";
constexpr std::uint32_t kFormatVersion = 1;
constexpr std::string_view kName = "manifest-";
constexpr std::size_t kEpochBytes = 16;
constexpr std::size_t kCheckpointAt = 40;
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

bool Whole(std::string_view bytes) {
  if (bytes.size() < kCheckpointAt + kChecksumBytes || !bytes.starts_with(kMagic)) return false;
  const std::size_t content = bytes.size() - kChecksumBytes;
  return XXH3_64bits(bytes.data(), content) == GetAt<std::uint64_t>(bytes, content);
}

absl::Status NoSuchBackup(const std::string& directory, std::uint32_t number,
                          const std::vector<std::uint32_t>& numbers) {
  if (numbers.empty()) return absl::InvalidArgumentError("there is no backup in " + directory);
  return absl::InvalidArgumentError(
      absl::StrFormat("there is no backup %d in %s; there is: %s", number, directory, absl::StrJoin(numbers, ", ")));
}

}  // namespace

std::uint64_t BackupManifest::events() const {
  std::uint64_t events = 0;
  for (const PartitionHead& head : checkpoint.heads) events += head.offset.value();
  return events;
}

// Magic (4), format version (4), number (4), partitions (4), made at (8), epoch (16), the sealed checkpoint as in
// store.md, XXH3-64 of all that (8).
std::string EncodeBackupManifest(const BackupManifest& manifest) {
  std::string bytes(kMagic);
  Put(bytes, kFormatVersion);
  Put(bytes, manifest.number);
  Put(bytes, static_cast<std::uint32_t>(manifest.checkpoint.heads.size()));
  Put(bytes, absl::ToUnixMicros(manifest.made_at));
  bytes += manifest.epoch.bytes;
  bytes += EncodeSealedCheckpoint(manifest.checkpoint, manifest.epoch);
  Put(bytes, XXH3_64bits(bytes.data(), bytes.size()));
  return bytes;
}

absl::StatusOr<BackupManifest> DecodeBackupManifest(std::string_view bytes) {
  if (!Whole(bytes)) return DataLoss("its bytes are damaged");
  if (GetAt<std::uint32_t>(bytes, 4) != kFormatVersion) {
    return Error(absl::StatusCode::kFailedPrecondition, reason::kFormatUnknown,
                 absl::StrFormat("it has format version %d, this program knows %d", GetAt<std::uint32_t>(bytes, 4),
                                 kFormatVersion));
  }
  BackupManifest manifest;
  manifest.number = GetAt<std::uint32_t>(bytes, 8);
  manifest.made_at = absl::FromUnixMicros(GetAt<std::int64_t>(bytes, 16));
  manifest.epoch = {std::string(bytes.substr(24, kEpochBytes))};
  const std::string_view checkpoint = bytes.substr(kCheckpointAt, bytes.size() - kCheckpointAt - kChecksumBytes);
  EVERFOLD_ASSIGN_OR_RETURN(manifest.checkpoint,
                            DecodeSealedCheckpoint(checkpoint, manifest.epoch, GetAt<std::uint32_t>(bytes, 12)));
  return manifest;
}

std::string BackupManifestPath(const std::string& directory, std::uint32_t number) {
  return absl::StrFormat("%s/%s%06d", directory, kName, number);
}

absl::StatusOr<std::vector<std::uint32_t>> BackupNumbers(const Files& files, const std::string& directory) {
  std::vector<std::uint32_t> numbers;
  if (!files.Exists(directory)) return numbers;
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(directory));
  for (const std::string& name : names) {
    std::uint32_t number = 0;
    if (name.starts_with(kName) && absl::SimpleAtoi(name.substr(kName.size()), &number)) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

absl::StatusOr<BackupManifest> ReadBackupManifest(Files& files, const std::string& directory, std::uint32_t number) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<std::uint32_t> numbers, BackupNumbers(files, directory));
  if (number == 0 && !numbers.empty()) number = numbers.back();
  if (std::find(numbers.begin(), numbers.end(), number) == numbers.end()) {
    return NoSuchBackup(directory, number, numbers);
  }
  const std::string path = BackupManifestPath(directory, number);
  EVERFOLD_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(files, path));
  absl::StatusOr<BackupManifest> manifest = DecodeBackupManifest(bytes);
  if (manifest.ok() && manifest->number != number) return DataLoss(path + " is of another backup");
  if (absl::IsDataLoss(manifest.status())) {
    return DataLoss(absl::StrFormat("%s is damaged: %s", path, manifest.status().message()));
  }
  return manifest;
}

}  // namespace everfold
