#include "everfold/app/backup.h"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/app/host.h"
#include "everfold/app/print_error.h"
#include "everfold/app/progress_bar.h"
#include "everfold/app/type_copies.h"
#include "everfold/base/counted.h"
#include "everfold/base/error_message.h"
#include "everfold/base/mutex.h"
#include "everfold/base/status.h"
#include "everfold/log/embedded/backup.h"
#include "everfold/log/embedded/new_store.h"
#include "everfold/rpc/admin_client.h"
#include "everfold/runtime/disk_thread.h"
#include "everfold/store/store_index.h"
#include "everfold/store/verify_log.h"

namespace everfold {
namespace {

std::string LogDirectory(const std::string& data) { return data + "/log"; }

ExitCode Ended(const std::string& app, const absl::Status& status) {
  if (status.ok()) return ExitCode::kOk;
  PrintStoreError(app, status);
  return ExitCodeOf(status);
}

// What is left out is told.
absl::Status CopyTypesOf(const std::string& app, const std::string& from, const std::string& to) {
  std::string left_out;
  EVERFOLD_RETURN_IF_ERROR(CopyTypes(PosixFiles(), TypeFilePath(from), TypeFilePath(to), left_out));
  if (!left_out.empty()) {
    std::fprintf(stderr, "%s: descriptions of event types are left out: %s\n", app.c_str(), left_out.c_str());
  }
  return absl::OkStatus();
}

absl::StatusOr<MadeBackup> MakeBackup(const std::string& app, const CommandLine& line, Host& host) {
  VerbProgressBar bar("bytes");
  BackupOptions options{.directory = line.directory, .made_at = host.clock().Now()};
  options.complete = [&](const std::string& to) { return CopyTypesOf(app, line.data_directory, to); };
  options.on_progress = [&bar](std::uint64_t bytes, std::uint64_t total) {
    bar.Update(bytes, total);
    return absl::OkStatus();
  };
  absl::StatusOr<MadeBackup> made;
  Notification done;
  host.embedded_log().Backup(std::move(options), [&](absl::StatusOr<MadeBackup> result) {
    made = std::move(result);
    done.Notify();
  });
  done.WaitForNotification();
  return made;
}

// All that `verify` looks at, before the log is a store: its identity is written only after that. Builds the index.
absl::Status VerifyNewLog(const std::string& data, const PartitionLog& log) {
  VerbProgressBar bar("events");
  DiskThread disk("everfold-index");
  std::string began_anew;  // it does: there is none
  EVERFOLD_ASSIGN_OR_RETURN(
      const std::unique_ptr<StoreIndex> index,
      StoreIndex::Open({.files = &PosixFiles(), .directory = data + "/index"}, log.identity(), disk, began_anew));
  EVERFOLD_RETURN_IF_ERROR(RecoverIndex(
      log, *index, [&bar](const IndexProgress& progress) { bar.Update(progress.events, progress.total); }));
  VerifyOptions options;
  options.on_progress = [&bar](const VerifyProgress& progress) {
    bar.Update(progress.events, progress.total);
    return absl::OkStatus();
  };
  EVERFOLD_ASSIGN_OR_RETURN(
      const VerifyReport report,
      VerifyLog({.log = log, .index = index.get(), .upto = index->tail().last_sequence}, options));
  WaitForClose([&index](Task done) { index->Close(std::move(done)); });
  return report.status();
}

// What is said of every failure after which there is a directory that is no store.
template <typename Made>
absl::StatusOr<Made> OrIncomplete(const CommandLine& line, absl::StatusOr<Made> made) {
  if (made.ok() || CheckIsEmpty(PosixFiles(), line.data_directory).ok()) return made;
  return WithMore(made.status(), absl::StrFormat("; %s is incomplete, delete it", line.data_directory));
}

// With all that is to be there before the directory is a store.
absl::Status FinishStore(const std::string& app, const CommandLine& line, const PartitionLog& log) {
  EVERFOLD_RETURN_IF_ERROR(VerifyNewLog(line.data_directory, log));
  return CopyTypesOf(app, line.directory, line.data_directory);
}

absl::StatusOr<BackupManifest> MakeRestored(const std::string& app, const CommandLine& line) {
  EVERFOLD_RETURN_IF_ERROR(CheckAreApart(line.directory, line.data_directory));
  EVERFOLD_RETURN_IF_ERROR(CheckIsEmpty(PosixFiles(), line.data_directory));
  SystemRandom random;
  const RestoreOptions options{.backups = line.directory,
                               .number = line.backup,
                               .directory = LogDirectory(line.data_directory),
                               .verify = [&](const PartitionLog& log) { return FinishStore(app, line, log); }};
  return OrIncomplete(line, RestoreBackup(options, random));
}

absl::StatusOr<SalvageReport> MakeSalvaged(const std::string& app, const CommandLine& line) {
  EVERFOLD_RETURN_IF_ERROR(CheckAreApart(line.directory, line.data_directory));
  EVERFOLD_RETURN_IF_ERROR(CheckIsEmpty(PosixFiles(), line.data_directory));
  SystemRandom random;
  const SalvageOptions options{.damaged = LogDirectory(line.directory),
                               .directory = LogDirectory(line.data_directory),
                               .verify = [&](const PartitionLog& log) { return FinishStore(app, line, log); }};
  return OrIncomplete(line, SalvageStore(options, random));
}

// The path is one of the server's machine, which is this one.
ExitCode BackupOnline(const std::string& app, const CommandLine& line) {
  const SystemClock clock;
  const absl::Time began = clock.Now();
  absl::StatusOr<MadeBackup> made;
  {
    VerbProgressBar bar("bytes");
    made = BackupAt(line.address, std::filesystem::absolute(line.directory).string(),
                    [&bar](auto done, auto total) { bar.Update(done, total); });
  }
  if (made.ok()) absl::PrintF("%s", FormatBackup(*made, clock.Now() - began));
  return Ended(app, made.status());
}

const char* BehindIt(const SalvagedPartition& partition) {
  if (partition.had_more) return "lost or left out";
  return partition.kept == partition.proven ? "nothing is known to have been" : "left out";
}

}  // namespace

std::string FormatBackup(const MadeBackup& made, absl::Duration took) {
  return absl::StrFormat("backup %d holds %s; %s copied in %.1f s\n", made.number, Counted(made.events, "event"),
                         Counted(made.bytes_copied, "byte was", "bytes were"), absl::ToDoubleSeconds(took));
}

std::string FormatSalvage(const SalvageReport& report) {
  std::string text;
  for (const std::string& note : report.notes) text += "lost: " + note + "\n";
  absl::StrAppendFormat(&text, "%9s %12s %12s %12s %12s  %s\n", "partition", "kept offset", "kept chunk",
                        "proven chunk", "known chunk", "behind it");
  std::uint64_t events = 0;
  for (std::size_t i = 0; i < report.partitions.size(); ++i) {
    const SalvagedPartition& partition = report.partitions[i];
    events += partition.kept.offset.value();
    if (partition.proven.chunk_number == 0 && !partition.had_more) continue;
    absl::StrAppendFormat(&text, "%9d %12d %12d %12d %12d  %s\n", i, partition.kept.offset.value(),
                          partition.kept.chunk_number, partition.proven.chunk_number, partition.last_known_chunk,
                          BehindIt(partition));
  }
  absl::StrAppendFormat(&text, "kept all commits up to %d, with %s; ", report.last_kept.value(),
                        Counted(events, "event"));
  if (report.ends_early()) {
    absl::StrAppendFormat(&text, "the first one that is missing, or left out, is %d\n", report.last_kept.value() + 1);
  } else {
    text += report.lost_something() ? "what is said above to be lost may have held more\n" : "nothing is missing\n";
  }
  return text;
}

ExitCode Backup(const std::string& app, const CommandLine& line) {
  if (!line.address.empty()) return BackupOnline(app, line);
  if (const absl::Status apart = CheckAreApart(line.directory, line.data_directory); !apart.ok()) {
    return Ended(app, apart);
  }
  auto host = OpenStopped(line.data_directory);
  if (!host.ok()) return Ended(app, host.status());
  const absl::Time began = (*host)->clock().Now();
  const absl::StatusOr<MadeBackup> made = MakeBackup(app, line, **host);
  if (made.ok()) absl::PrintF("%s", FormatBackup(*made, (*host)->clock().Now() - began));
  absl::Status status = made.status();
  status.Update((*host)->Close());
  return Ended(app, status);
}

ExitCode Restore(const std::string& app, const CommandLine& line) {
  const absl::StatusOr<BackupManifest> manifest = MakeRestored(app, line);
  if (!manifest.ok()) {
    PrintError(app, manifest.status());  // what is damaged is a backup
    return ExitCodeOf(manifest.status());
  }
  absl::PrintF("restored backup %d, of %s, with %s to %s\n", manifest->number,
               absl::FormatTime(absl::RFC3339_sec, manifest->made_at, absl::UTCTimeZone()),
               Counted(manifest->events(), "event"), line.data_directory);
  return ExitCode::kOk;
}

ExitCode Salvage(const std::string& app, const CommandLine& line) {
  const absl::StatusOr<SalvageReport> report = MakeSalvaged(app, line);
  if (!report.ok()) return Ended(app, report.status());
  absl::PrintF("%s", FormatSalvage(*report));
  return report->lost_something() ? ExitCode::kSomethingLost : ExitCode::kOk;
}

}  // namespace everfold
