// The log of a single process: a journal that makes groups durable, and RocksDB for everything that is sealed.
//
// One group of appends is one record of the journal, a ring of files that are zeroed before their first use and written
// over and over; one sync makes it durable in all partitions. While a group syncs, the next ones gather, and share the
// next sync. The durable end of the log is kept in memory too; when some journal files are full, their groups are
// sealed: written to RocksDB as sorted files and installed by one atomic ingest. Then the files are free again. If
// sealing lags, the ring fills up and appends wait: memory and disk are bounded by max_journal_files.
//
// Opening reads the journal from the last sealed group on, so it takes the same short time however long the log is. A
// torn tail, which only a write that was never acknowledged leaves, is cut off. The high-water file, written at least
// every 10 ms, tells it from lost data: if less is there than was known to be durable, the store refuses to open, says
// what is missing, and touches nothing. Data that became durable after the last mark can be lost unseen; `paranoid`
// closes this window at the price of a second sync a group.
//
// Byte by byte: docs/formats/journal.md, docs/formats/store.md. The directory holds a secret key and is made for its
// owner alone (mode 0700, files 0600).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/base/random.h"
#include "everfold/log/files/files.h"
#include "everfold/log/partition_log.h"
#include "everfold/runtime/executor.h"

namespace everfold {

struct EmbeddedLogOptions {
  std::string directory;         // made, with its parents, where it is missing
  std::uint32_t partitions = 0;  // of a new store, 0: kDefaultPartitions. An existing store has what it has: 0, or that
  // With less free space appends are refused with RESOURCE_EXHAUSTED, before anything is written.
  std::uint64_t reserved_bytes = 256 << 20;
  std::function<std::uint64_t()> free_bytes = nullptr;  // default: what the directory's file system reports
  bool paranoid = false;                                // mark every group before it is acknowledged
  // A multiple of 512, at least 4096. A group has to fit into a file.
  std::size_t journal_file_bytes = 16 << 20;
  std::size_t max_journal_files = 12;  // at least 2
  std::size_t seal_files = 3;          // so many full files are sealed together
  // Sealed files are merged while nothing is sealed. With more small ones than that they are merged under load, too.
  std::uint64_t max_small_files = 1000;
  Files* files = nullptr;  // default: this machine's
  // Makes the strands on which the log blocks; default: a thread each. Called with a name of at most 15 bytes.
  std::function<std::unique_ptr<Strand>(std::string name)> make_strand = nullptr;
};

struct BackupOptions {
  std::string directory;  // of backups; made where it is missing
  absl::Time made_at;     // is told by the backup
  // Called every now and then with about how much was copied, of what there is; an error ends the backup, and is its
  // result.
  std::function<absl::Status(std::uint64_t bytes, std::uint64_t total)> on_progress = nullptr;
  // Called once all of the log is copied, and before the backup counts: adds what else belongs to it to the directory,
  // durably. An error ends the backup, and is its result.
  std::function<absl::Status(const std::string& directory)> complete = nullptr;
};

struct MadeBackup {
  std::uint32_t number = 0;
  std::uint64_t events = 0;  // that it holds
  std::uint64_t bytes_copied = 0;
};

// Threading: as PartitionLog. Lifetime: the executor, which is used for delays only, outlives the log. Destroyed
// without Close it is a crash: appends that are outstanding are not told.
class EmbeddedLog : public PartitionLog {
 public:
  // Opens the store, or creates it with a new identity where there is none.
  //   INVALID_ARGUMENT     more partitions than kMaxPartitions, or other options that cannot be
  //   FAILED_PRECONDITION  the store has another number of partitions (STORE_MISMATCH); somebody else holds it, the
  //                        message says who (STORE_LOCKED); a newer program made it (FORMAT_UNKNOWN); an import into it
  //                        did not come to its end (STORE_INCOMPLETE)
  //   DATA_LOSS            stored bytes are damaged or missing; nothing was changed
  //   INTERNAL             the file system or RocksDB failed (STORAGE_FAILED)
  static absl::StatusOr<std::unique_ptr<EmbeddedLog>> Open(EmbeddedLogOptions options, Executor& executor,
                                                           RandomSource& random);

  // Seals everything that is durable now, then calls `done` on strand(). An append may be needed to make room for the
  // next file of the journal; there is none to wait for. UNAVAILABLE (STORE_CLOSED) after Close.
  virtual void SealAll(Done done) = 0;
  // Reads every byte of the sealed files. DATA_LOSS, naming the file, for one that is damaged or missing.
  virtual absl::Status VerifyFiles() const = 0;

  using BackupDone = absl::AnyInvocable<void(absl::StatusOr<MadeBackup>)>;

  // Adds a backup to a directory (backup.h), while the log is at work: everything that is durable now is in it. Seals,
  // then copies on a strand of its own, because on that of the sealer appends would have to wait for the end of a long
  // copy. `done` is called there. One at a time; the next one waits.
  //   FAILED_PRECONDITION  the directory holds backups of another store (STORE_MISMATCH), or is taken (STORE_LOCKED)
  //   DATA_LOSS            what is there of earlier backups is damaged
  //   RESOURCE_EXHAUSTED   no room (DISK_FULL)
  //   INTERNAL             the file system or RocksDB failed (STORAGE_FAILED)
  //   UNAVAILABLE          the log is closed (STORE_CLOSED)
  // After an error there is no such backup; earlier ones are as they were.
  virtual void Backup(BackupOptions options, BackupDone done) = 0;

  struct Size {
    std::uint64_t sealed_files = 0;
    std::uint64_t sealed_bytes = 0;
  };
  virtual Size size() const = 0;
};

}  // namespace everfold
