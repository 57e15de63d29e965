#include "everfold/log/embedded/embedded_log.h"

#include <atomic>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/partitioning.h"
#include "everfold/log/embedded/backup.h"
#include "everfold/log/embedded/group_writer.h"
#include "everfold/log/embedded/journal_record.h"
#include "everfold/log/embedded/log_cursor.h"
#include "everfold/runtime/disk_thread.h"

namespace everfold {
namespace {

constexpr std::size_t kMinJournalFileBytes = 4096;  // a small chunk has several hundred

using MakeStrand = std::function<std::unique_ptr<Strand>(std::string name)>;

std::unique_ptr<Strand> MakeThread(const MakeStrand& make, std::string name,
                                   DiskThread::Priority priority = DiskThread::Priority::kNormal) {
  return make != nullptr ? make(std::move(name)) : std::make_unique<DiskThread>(std::move(name), priority);
}

class JournaledLog final : public EmbeddedLog {
 public:
  JournaledLog(EmbeddedLogOptions options, Files& files, Executor& executor, LogStrands strands, StoreParts parts,
               std::uint64_t writer_epoch)
      : own_threads_(options.make_strand == nullptr),
        make_strand_(options.make_strand),
        files_(files),
        strands_(std::move(strands)),
        writer_(std::make_shared<GroupWriter>(std::move(options), files, executor, strands_, std::move(parts),
                                              writer_epoch)) {}

  ~JournaledLog() override {
    StopSteps();
    *gone_ = true;
    backup_strand_ = nullptr;
    // The writer's strand goes last: the others post to it.
    strands_.keeper = nullptr;
    strands_.sealer = nullptr;
    strands_.syncer = nullptr;
    strands_.writer = nullptr;
  }

  const LogIdentity& identity() const override { return parts().identity; }
  Strand& strand() const override { return *strands_.writer; }
  bool atomic_across_partitions() const override { return true; }
  void Append(std::vector<ChunkAppend> group, Done done) override {
    writer_->Append(std::move(group), std::move(done));
  }
  PartitionHead Head(PartitionId partition) const override { return parts().tail->Head(partition); }
  absl::StatusOr<std::unique_ptr<ChunkCursor>> Read(PartitionId partition, Offset after) const override {
    EVERFOLD_CHECK(partition.value() < identity().partitions);
    return ReadLog(*parts().sealed, *parts().tail, partition, after);
  }
  void Watch(Hint hint) override { writer_->Watch(std::move(hint)); }
  void Close(Done done) override { writer_->Close(std::move(done)); }

  void SealAll(Done done) override { writer_->SealAll(std::move(done)); }
  absl::Status VerifyFiles() const override { return parts().sealed->VerifyChecksums(); }
  void Backup(BackupOptions options, BackupDone done) override {
    options.on_progress = [gone = gone_, on_progress = std::move(options.on_progress)](auto bytes, auto total) {
      if (*gone) return absl::CancelledError("the log is closed");
      return on_progress ? on_progress(bytes, total) : absl::OkStatus();
    };
    SealAll([this, options = std::move(options), done = std::move(done)](absl::Status sealed) mutable {
      BackupStrand().Post(
          [writer = writer_, &files = files_, sealed, options = std::move(options), done = std::move(done)]() mutable {
            if (!sealed.ok()) return done(sealed);
            done(AddBackup(files, *writer->parts().sealed, writer->parts().identity, options));
          });
    });
  }
  Size size() const override {
    const SealedChunks::Size sealed = parts().sealed->size();
    return {sealed.files, sealed.bytes};
  }

 private:
  const StoreParts& parts() const { return writer_->parts(); }

  // A step of the writer.
  Strand& BackupStrand() {
    if (backup_strand_ == nullptr) {
      backup_strand_ = MakeThread(make_strand_, "everfold-back", DiskThread::Priority::kLow);
    }
    return *backup_strand_;
  }

  // A step of the writer may be running: then it ends before this returns.
  void StopSteps() {
    if (!own_threads_) return writer_->Stop();
    Notification stopped;
    strands_.writer->Post([this, &stopped] {
      writer_->Stop();
      stopped.Notify();
    });
    stopped.WaitForNotification();
  }

  const bool own_threads_;
  const MakeStrand make_strand_;
  Files& files_;
  const std::shared_ptr<std::atomic<bool>> gone_ = std::make_shared<std::atomic<bool>>(false);  // backups end
  std::unique_ptr<Strand> backup_strand_;
  LogStrands strands_;
  const std::shared_ptr<GroupWriter> writer_;
};

absl::Status CheckOptions(const EmbeddedLogOptions& options) {
  if (options.partitions > kMaxPartitions) {
    return Error(absl::StatusCode::kInvalidArgument, reason::kLimitExceeded,
                 absl::StrFormat("a store has 1 to %d partitions, not %d", kMaxPartitions, options.partitions));
  }
  if (options.max_journal_files < 2 || options.seal_files < 1 || options.seal_files >= options.max_journal_files) {
    return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                 absl::StrFormat("the journal has at least 2 files, and seals 1 or more but not all of them at once: "
                                 "max_journal_files is %d, seal_files %d",
                                 options.max_journal_files, options.seal_files));
  }
  if (options.journal_file_bytes < kMinJournalFileBytes || options.journal_file_bytes % kJournalAlignment != 0) {
    return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                 absl::StrFormat("a file of the journal has a multiple of %d bytes, and at least %d: "
                                 "journal_file_bytes is %d",
                                 kJournalAlignment, kMinJournalFileBytes, options.journal_file_bytes));
  }
  return absl::OkStatus();
}

LogStrands MakeStrands(const EmbeddedLogOptions& options) {
  const MakeStrand& make = options.make_strand;
  return {MakeThread(make, "everfold-log"), MakeThread(make, "everfold-sync"),
          MakeThread(make, "everfold-seal", DiskThread::Priority::kLow), MakeThread(make, "everfold-keep")};
}

}  // namespace

absl::StatusOr<std::unique_ptr<EmbeddedLog>> EmbeddedLog::Open(EmbeddedLogOptions options, Executor& executor,
                                                               RandomSource& random) {
  EVERFOLD_RETURN_IF_ERROR(CheckOptions(options));
  Files& files = options.files != nullptr ? *options.files : PosixFiles();
  EVERFOLD_ASSIGN_OR_RETURN(StoreParts parts, OpenStore(options, files, random));
  LogStrands strands = MakeStrands(options);
  return std::make_unique<JournaledLog>(std::move(options), files, executor, std::move(strands), std::move(parts),
                                        random.Next());
}

}  // namespace everfold
