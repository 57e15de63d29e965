#include "everfold/app/backup.h"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/app/host.h"
#include "everfold/app/print_error.h"
#include "everfold/app/progress_bar.h"
#include "everfold/app/verify.h"
#include "everfold/base/error.h"
#include "everfold/base/mutex.h"
#include "everfold/base/status.h"
#include "everfold/log/embedded/backup.h"
#include "everfold/log/embedded/new_store.h"
#include "everfold/log/embedded/store_parts.h"
#include "everfold/rpc/admin_client.h"
#include "everfold/store/verify_log.h"

namespace everfold {
namespace {

std::string LogDirectory(const std::string& data) { return data + "/log"; }

ExitCode Ended(const std::string& app, const absl::Status& status) {
  if (status.ok()) return ExitCode::kOk;
  PrintError(app, status);
  return ExitCodeOf(status);
}

absl::StatusOr<MadeBackup> MakeBackup(Host& host, const std::string& directory) {
  VerbProgressBar bar("bytes");
  BackupOptions options{.directory = directory, .made_at = host.clock().Now()};
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

// What of a log can be said before it is a store: that nothing of it changed.
absl::Status VerifyChain(const PartitionLog& log) {
  VerbProgressBar bar("events");
  VerifyOptions options{.quick = true};
  options.on_progress = [&bar](const VerifyProgress& progress) {
    bar.Update(progress.events, progress.total);
    return absl::OkStatus();
  };
  EVERFOLD_ASSIGN_OR_RETURN(const VerifyReport report, VerifyLog({.log = log}, options));
  return report.status();
}

// Builds the index, and verifies all there is. A store that is not what it should be is left without its identity, so
// that nobody takes it for one.
absl::Status VerifyNewStore(const std::string& data) {
  absl::Status status = VerifyDirectory(data);
  if (!absl::IsDataLoss(status)) return status;
  EVERFOLD_RETURN_IF_ERROR(PosixFiles().Remove(IdentityPath(LogDirectory(data))));
  return Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
               absl::StrFormat("%s is incomplete, and cannot be opened: %s", data, status.message()));
}

absl::StatusOr<BackupManifest> MakeRestored(const CommandLine& line) {
  EVERFOLD_RETURN_IF_ERROR(CheckAreApart(line.directory, line.data_directory));
  EVERFOLD_RETURN_IF_ERROR(CheckIsEmpty(PosixFiles(), line.data_directory));
  SystemRandom random;
  const RestoreOptions options{.backups = line.directory,
                               .number = line.backup,
                               .directory = LogDirectory(line.data_directory),
                               .verify = VerifyChain};
  EVERFOLD_ASSIGN_OR_RETURN(BackupManifest manifest, RestoreBackup(options, random));
  EVERFOLD_RETURN_IF_ERROR(VerifyNewStore(line.data_directory));
  return manifest;
}

absl::StatusOr<SalvageReport> MakeSalvaged(const CommandLine& line) {
  EVERFOLD_RETURN_IF_ERROR(CheckAreApart(line.directory, line.data_directory));
  EVERFOLD_RETURN_IF_ERROR(CheckIsEmpty(PosixFiles(), line.data_directory));
  SystemRandom random;
  const SalvageOptions options{
      .damaged = LogDirectory(line.directory), .directory = LogDirectory(line.data_directory), .verify = VerifyChain};
  EVERFOLD_ASSIGN_OR_RETURN(SalvageReport report, SalvageStore(options, random));
  EVERFOLD_RETURN_IF_ERROR(VerifyNewStore(line.data_directory));
  return report;
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

}  // namespace

std::string FormatBackup(const MadeBackup& made, absl::Duration took) {
  return absl::StrFormat("backup %d holds %s events; %s bytes were copied in %.1f s\n", made.number,
                         Grouped(made.events), Grouped(made.bytes_copied), absl::ToDoubleSeconds(took));
}

std::string FormatSalvage(const SalvageReport& report) {
  std::string text;
  for (const std::string& note : report.notes) text += "lost: " + note + "\n";
  absl::StrAppendFormat(&text, "%9s %14s %14s  %s\n", "partition", "kept offset", "proven offset", "behind it");
  std::uint64_t events = 0;
  for (std::size_t i = 0; i < report.partitions.size(); ++i) {
    const SalvagedPartition& partition = report.partitions[i];
    events += partition.kept.offset.value();
    if (partition.proven.chunk_number == 0 && !partition.had_more) continue;
    absl::StrAppendFormat(&text, "%9d %14d %14d  %s\n", i, partition.kept.offset.value(),
                          partition.proven.offset.value(),
                          partition.had_more ? "lost or left out" : "nothing is known to have been");
  }
  absl::StrAppendFormat(&text, "kept all commits up to %d, with %s events", report.last_kept.value(), Grouped(events));
  text += report.lost_something()
              ? absl::StrFormat("; the first one that is missing, or left out, is %d\n", report.last_kept.value() + 1)
              : "; nothing is missing\n";
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
  const absl::StatusOr<MadeBackup> made = MakeBackup(**host, line.directory);
  if (made.ok()) absl::PrintF("%s", FormatBackup(*made, (*host)->clock().Now() - began));
  absl::Status status = made.status();
  status.Update((*host)->Close());
  return Ended(app, status);
}

ExitCode Restore(const std::string& app, const CommandLine& line) {
  const absl::StatusOr<BackupManifest> manifest = MakeRestored(line);
  if (!manifest.ok()) return Ended(app, manifest.status());
  absl::PrintF("restored backup %d, of %s, with %s events to %s\n", manifest->number,
               absl::FormatTime(absl::RFC3339_sec, manifest->made_at, absl::UTCTimeZone()), Grouped(manifest->events()),
               line.data_directory);
  return ExitCode::kOk;
}

ExitCode Salvage(const std::string& app, const CommandLine& line) {
  const absl::StatusOr<SalvageReport> report = MakeSalvaged(line);
  if (report.ok()) absl::PrintF("%s", FormatSalvage(*report));
  return Ended(app, report.status());
}

}  // namespace everfold
