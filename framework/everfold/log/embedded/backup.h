// Copies of a store in a directory of their own, and stores made of them.
//
//   DIRECTORY/identity          of the store that is backed up, with its key; written first
//   DIRECTORY/sealed/           the sealed chunks of all backups, as RocksDB's BackupEngine keeps them: a file that is
//   in
//                               several of them is there once
//   DIRECTORY/manifest-000007   what backup 7 holds; written last. Without it there is no such backup
//
// Sealed files never change, so that a further backup copies the new ones only. Byte by byte: docs/formats/backup.md.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/base/random.h"
#include "everfold/log/embedded/backup_manifest.h"
#include "everfold/log/embedded/embedded_log.h"
#include "everfold/log/embedded/sealed_chunks.h"

namespace everfold {

// Adds a backup of what is sealed. Seals may go on meanwhile. It is read before it counts, with the files that it
// shares with earlier backups; after an error nothing of it is left.
//   INVALID_ARGUMENT     the directory is in that of the store, or that is in it
//   DATA_LOSS            such a file is damaged
//   FAILED_PRECONDITION  the directory holds backups of another store (STORE_MISMATCH), or somebody else is at it
//   others as EmbeddedLog::Backup
absl::StatusOr<MadeBackup> AddBackup(Files& files, const SealedChunks& sealed, const LogIdentity& identity,
                                     const BackupOptions& options);

struct RestoreOptions {
  std::string backups;       // the directory of backups
  std::uint32_t number = 0;  // 0: the last one
  std::string directory;     // of the new store; empty, or not there
  std::size_t journal_file_bytes = 16 << 20;
  Files* files = nullptr;  // default: this machine's
  // Looks at the new log before it becomes a store; an error is the result, and the directory stays incomplete. Heads
  // and chains have been found to be those of the backup.
  std::function<absl::Status(const PartitionLog&)> verify = nullptr;
};

// Makes a store of a backup, with an epoch of its own, and the same key and partitions. Its identity is written last:
// until then, and after an error, nobody takes the directory for a store.
//   INVALID_ARGUMENT  no such backup; the directory is not empty, or in that of the backups, or the other way round
//   DATA_LOSS         the backup is damaged, the message names the file; or it is not what its manifest says
//   INTERNAL          the file system or RocksDB failed (STORAGE_FAILED)
absl::StatusOr<BackupManifest> RestoreBackup(const RestoreOptions& options, RandomSource& random);

}  // namespace everfold
