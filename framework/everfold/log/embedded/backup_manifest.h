// What one backup holds; the last thing that is written of it. Format: docs/formats/backup.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/log/embedded/sealed_checkpoint.h"
#include "everfold/log/files/files.h"
#include "everfold/log/partition_log.h"

namespace everfold {

struct BackupManifest {
  std::uint32_t number = 0;  // in its directory; grows
  absl::Time made_at;
  Epoch epoch;                  // of the store it was made of
  SealedCheckpoint checkpoint;  // how far it reaches

  std::uint64_t events() const;
  friend bool operator==(const BackupManifest&, const BackupManifest&) = default;
};

std::string EncodeBackupManifest(const BackupManifest& manifest);
// DATA_LOSS for damaged bytes; FAILED_PRECONDITION (FORMAT_UNKNOWN) for those of a newer program.
absl::StatusOr<BackupManifest> DecodeBackupManifest(std::string_view bytes);

// "<directory>/manifest-000007"
std::string BackupManifestPath(const std::string& directory, std::uint32_t number);
// Of all backups in the directory, in order.
absl::StatusOr<std::vector<std::uint32_t>> BackupNumbers(const Files& files, const std::string& directory);
// INVALID_ARGUMENT, with those that there are, if there is none of that number; DATA_LOSS, naming the file.
absl::StatusOr<BackupManifest> ReadBackupManifest(Files& files, const std::string& directory, std::uint32_t number);

}  // namespace everfold
