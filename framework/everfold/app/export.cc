#include "everfold/app/export.h"

#include <cstdio>
#include <memory>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/app/host.h"
#include "everfold/app/line_file.h"
#include "everfold/app/print_error.h"
#include "everfold/app/progress_bar.h"
#include "everfold/base/clock.h"
#include "everfold/base/counted.h"
#include "everfold/base/error_message.h"
#include "everfold/base/status.h"
#include "everfold/event/stream_id.h"
#include "everfold/log/embedded/new_store.h"
#include "everfold/store/event_store.h"
#include "everfold/store/export/export_reader.h"
#include "everfold/store/export/export_store.h"
#include "everfold/store/export/import_commits.h"

namespace everfold {
namespace {

ExitCode Ended(const std::string& app, const absl::Status& status) {
  if (status.ok()) return ExitCode::kOk;
  PrintStoreError(app, status);
  return ExitCodeOf(status);
}

// The file says what its application is called, and may say anything.
std::string ShownName(const std::string& application) {
  return IsPrintableUtf8(application) ? application : ShownText(application);
}

void CloseStore(EventStore& store) {
  WaitForClose([&store](Task done) { store.Close(std::move(done)); });
}

absl::StatusOr<ExportCounts> WriteExport(const std::string& app, const CommandLine& line, const EventStore& store) {
  EVERFOLD_ASSIGN_OR_RETURN(LineWriter file, LineWriter::Create(line.file));
  VerbProgressBar bar("events");
  ExportOptions options{.application = app, .json = !line.no_json};
  options.on_progress = [&bar](const ExportProgress& progress) { bar.Update(progress.events, progress.total); };
  EVERFOLD_ASSIGN_OR_RETURN(const ExportCounts counts,
                            ExportStore(store, options, [&file](std::string_view text) { return file.Write(text); }));
  EVERFOLD_RETURN_IF_ERROR(file.Finish());
  return counts;
}

// An index that lags, or is missing, is built first.
absl::StatusOr<ExportCounts> ExportOf(const std::string& app, const CommandLine& line, Host& host) {
  EventStoreOptions options = host.store_options();
  auto bar = std::make_unique<VerbProgressBar>("events");
  options.on_index_progress = [&bar](const IndexProgress& progress) { bar->Update(progress.events, progress.total); };
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<EventStore> store,
                            EventStore::Open(options, host.log(), host.executor(), host.clock(), host.random()));
  bar = nullptr;
  absl::StatusOr<ExportCounts> counts = WriteExport(app, line, *store);
  CloseStore(*store);
  return counts;
}

absl::Status VerifyImported(const EventStore& store) {
  VerbProgressBar bar("events");
  VerifyOptions options{.quick = true};
  options.on_progress = [&bar](const VerifyProgress& progress) {
    bar.Update(progress.events, progress.total);
    return absl::OkStatus();
  };
  EVERFOLD_ASSIGN_OR_RETURN(const VerifyReport report, store.Verify(options));
  return report.status();
}

absl::StatusOr<ImportCounts> ImportInto(EventStore& store, ExportReader& reader, absl::Time now) {
  VerbProgressBar bar("commits");
  ImportOptions options{.now = now};
  options.on_progress = [&bar](const ImportProgress& progress) { bar.Update(progress.commits, progress.total); };
  return ImportCommits(reader, store, options);
}

// The store's clock stands still before all recorded times, so that each commit keeps its own.
absl::StatusOr<ImportCounts> Fill(Host& host, const std::string& log_directory, ExportReader& reader) {
  EVERFOLD_RETURN_IF_ERROR(SetIdentityAside(PosixFiles(), log_directory));
  const ManualClock clock(absl::InfinitePast());
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<EventStore> store,
                            EventStore::Open(host.store_options(), host.log(), host.executor(), clock, host.random()));
  absl::StatusOr<ImportCounts> counts = ImportInto(*store, reader, host.clock().Now());
  if (counts.ok()) {
    if (const absl::Status verified = VerifyImported(*store); !verified.ok()) counts = verified;
  }
  CloseStore(*store);
  return counts;
}

absl::StatusOr<ImportCounts> MakeStore(const CommandLine& line, ExportReader& reader) {
  const std::string log = line.data_directory + "/log";
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<Host> host,
                            Host::Open({.data_directory = line.data_directory, .partitions = line.partitions}));
  absl::StatusOr<ImportCounts> counts = Fill(*host, log, reader);
  const absl::Status closed = host->Close();
  if (!counts.ok()) return counts;
  EVERFOLD_RETURN_IF_ERROR(closed);
  EVERFOLD_RETURN_IF_ERROR(PutIdentityBack(PosixFiles(), log));
  return counts;
}

// Nothing is made before the file is known to be an export.
absl::StatusOr<ImportCounts> MakeImported(const CommandLine& line, std::string& application) {
  EVERFOLD_RETURN_IF_ERROR(CheckIsEmpty(PosixFiles(), line.data_directory));
  EVERFOLD_ASSIGN_OR_RETURN(LineReader file, LineReader::Open(line.file, kMaxExportLineBytes));
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<ExportReader> reader,
                            ExportReader::Open([&file](std::string& text) { return file.Next(text); }));
  application = reader->header().application();
  absl::StatusOr<ImportCounts> counts = MakeStore(line, *reader);
  if (counts.ok() || CheckIsEmpty(PosixFiles(), line.data_directory).ok()) return counts;
  return WithMore(counts.status(), absl::StrFormat("; %s is incomplete, delete it", line.data_directory));
}

}  // namespace

ExitCode Export(const std::string& app, const CommandLine& line) {
  if (const absl::Status outside = CheckIsOutside(line.file, line.data_directory); !outside.ok()) {
    return Ended(app, outside);
  }
  auto host = Host::Open({.data_directory = line.data_directory, .create = false});
  if (!host.ok()) return Ended(app, host.status());
  const absl::StatusOr<ExportCounts> counts = ExportOf(app, line, **host);
  absl::Status status = counts.status();
  status.Update((*host)->Close());
  if (!status.ok()) return Ended(app, status);
  absl::FPrintF(stderr, "exported %s with %s\n", Counted(counts->commits, "commit"), Counted(counts->events, "event"));
  if (counts->erased_commits > 0) {
    absl::FPrintF(stderr, "%s of the commits are erased: no store can be made of this export; use a backup for that\n",
                  Grouped(counts->erased_commits));
  }
  return ExitCode::kOk;
}

ExitCode Import(const std::string& app, const CommandLine& line) {
  std::string application;
  const absl::StatusOr<ImportCounts> counts = MakeImported(line, application);
  if (!counts.ok()) {
    PrintError(app, counts.status());  // what is damaged is an export
    return ExitCodeOf(counts.status());
  }
  absl::PrintF("imported %s with %s%s to %s\n", Counted(counts->commits, "commit"), Counted(counts->events, "event"),
               application.empty() ? "" : " of " + ShownName(application), line.data_directory);
  return ExitCode::kOk;
}

}  // namespace everfold
