#include "everfold/app/verify.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/app/host.h"
#include "everfold/app/print_error.h"
#include "everfold/app/progress_bar.h"
#include "everfold/app/verify_read_models.h"
#include "everfold/base/status.h"
#include "everfold/rpc/admin_client.h"
#include "everfold/store/event_store.h"
#include "everfold/store/verify/index_files.h"

namespace everfold {
namespace {

void AppendRow(std::string& table, const std::string& name, const VerifiedPartition& counts) {
  absl::StrAppendFormat(&table, "%9s %12d %12d %12d\n", name, counts.events, counts.commits, counts.streams);
}

Finding FindingOf(FindingPlace place, std::string what) {
  return {.partition = {}, .chunk_number = 0, .offset = {}, .what = std::move(what), .place = place};
}

absl::StatusOr<VerifyReport> VerifyWithIndex(Host& host, const EventStoreOptions& store_options,
                                             const VerifyOptions& options) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<EventStore> store,
                            EventStore::Open(store_options, host.log(), host.executor(), host.clock(), host.random()));
  absl::StatusOr<VerifyReport> report = store->Verify(options);
  WaitForClose([&store](Task done) { store->Close(std::move(done)); });
  return report;
}

// An index that is not there is built, and that is all; one that is there, and is of no use, is a finding.
absl::Status CheckBeforeOpening(EventStoreOptions& options, std::vector<Finding>& found) {
  EVERFOLD_ASSIGN_OR_RETURN(const bool holds_index, HoldsIndex(*options.index.files, options.index.directory));
  EVERFOLD_ASSIGN_OR_RETURN(found, CheckIndexFiles(*options.index.files, options.index.directory));
  if (!holds_index) return absl::OkStatus();
  options.on_index_began_anew = [&found](const std::string& why) {
    found.push_back(FindingOf(FindingPlace::kIndex, absl::StrFormat("it began anew, because %s", why)));
  };
  return absl::OkStatus();
}

// A log that is damaged has no index: then it is read alone, so that all that is wrong with it is found.
absl::StatusOr<VerifyReport> VerifyLogAndIndex(Host& host, const EventStoreOptions& store_options,
                                               const VerifyOptions& options) {
  absl::StatusOr<VerifyReport> report = VerifyWithIndex(host, store_options, options);
  if (!absl::IsDataLoss(report.status())) return report;
  const Finding why =
      FindingOf(FindingPlace::kLog, absl::StrFormat("it cannot be indexed: %s", report.status().message()));
  report = VerifyLog({.log = host.log()}, options);
  if (report.ok()) report->findings.push_back(why);
  return report;
}

absl::StatusOr<VerifyReport> VerifyStore(Host& host, bool quick) {
  VerbProgressBar bar("events");
  VerifyOptions options{.quick = quick};
  options.on_progress = [&bar](const VerifyProgress& progress) {
    bar.Update(progress.events, progress.total);
    return absl::OkStatus();
  };
  if (quick) return VerifyLog({.log = host.log()}, options);
  EventStoreOptions store_options = host.store_options();
  store_options.on_index_progress = [&bar](const IndexProgress& progress) {
    bar.Update(progress.events, progress.total);
  };
  std::vector<Finding> of_index;
  EVERFOLD_RETURN_IF_ERROR(CheckBeforeOpening(store_options, of_index));
  absl::StatusOr<VerifyReport> report = VerifyLogAndIndex(host, store_options, options);
  if (report.ok()) report->findings.insert(report->findings.end(), of_index.begin(), of_index.end());
  return report;
}

absl::StatusOr<VerifyReport> VerifyAll(Host& host, bool quick) {
  EVERFOLD_ASSIGN_OR_RETURN(VerifyReport report, VerifyStore(host, quick));
  if (quick) return report;
  const absl::Status files = host.embedded_log().VerifyFiles();
  if (!files.ok() && !absl::IsDataLoss(files)) return files;
  if (!files.ok()) report.findings.push_back(FindingOf(FindingPlace::kLogFile, std::string(files.message())));
  return report;
}

void Print(const std::string& data, const VerifyReport& report, bool quick) {
  absl::PrintF("%s%s", FormatCounts(report.partitions), FormatFindings(report));
  if (!report.status().ok()) return;
  absl::PrintF("%s is undamaged%s\n", data, quick ? " (checksums and chain; not the index)" : "");
  absl::PrintF("digest %s\n", report.Digest());
}

// What is wrong with the index alone is built again from the log, and nothing is lost.
bool IsOfTheLog(const VerifyReport& report) {
  return report.findings_left_out > 0 ||
         std::any_of(report.findings.begin(), report.findings.end(), [](const Finding& finding) {
           return finding.partition.has_value() || finding.place != FindingPlace::kIndex;
         });
}

ExitCode Ended(const std::string& app, const absl::Status& status) {
  if (status.ok()) return ExitCode::kOk;
  PrintStoreError(app, status);
  return ExitCodeOf(status);
}

// Of a log that could be read: what was found.
ExitCode Ended(const std::string& app, const VerifyReport& report) {
  if (report.status().ok() || IsOfTheLog(report)) return Ended(app, report.status());
  PrintError(app, report.status());
  return ExitCodeOf(report.status());
}

ExitCode VerifyOnline(const std::string& app, const CommandLine& line) {
  absl::StatusOr<VerifyReport> report;
  {
    VerbProgressBar bar("events");
    report = VerifyAt(line.address, line.quick, [&bar](auto done, auto total) { bar.Update(done, total); });
  }
  if (!report.ok()) return Ended(app, report.status());
  Print("the log of " + line.address, *report, line.quick);
  if (line.quick || !report->status().ok()) return Ended(app, *report);
  const absl::Status read_models = VerifyReadModelsAt(line.address);
  if (!read_models.ok()) PrintError(app, read_models);
  return read_models.ok() ? ExitCode::kOk : ExitCodeOf(read_models);
}

}  // namespace

std::string FormatCounts(const std::vector<VerifiedPartition>& partitions) {
  std::string table = absl::StrFormat("%9s %12s %12s %12s\n", "partition", "events", "commits", "streams");
  VerifiedPartition sum;
  for (const VerifiedPartition& partition : partitions) {
    sum.events += partition.events;
    sum.commits += partition.commits;
    sum.streams += partition.streams;
    if (partition.commits > 0) AppendRow(table, std::to_string(partition.partition.value()), partition);
  }
  AppendRow(table, "all", sum);
  return table;
}

std::string FormatFindings(const VerifyReport& report) {
  std::string text;
  for (const Finding& finding : report.findings) text += "found: " + finding.ToString() + "\n";
  if (report.findings_left_out > 0) absl::StrAppendFormat(&text, "found: %d more\n", report.findings_left_out);
  return text;
}

ExitCode Verify(const std::string& app, const Parts& parts, const CommandLine& line) {
  if (!line.address.empty()) return VerifyOnline(app, line);
  auto host = OpenStopped(line.data_directory);
  if (!host.ok()) return Ended(app, host.status());
  const absl::StatusOr<VerifyReport> report = VerifyAll(**host, line.quick);
  if (report.ok()) Print(line.data_directory, *report, line.quick);
  const bool is_whole = report.ok() && report->status().ok();
  absl::Status status = report.status();
  if (is_whole && !line.quick) status = VerifyReadModels(**host, parts, line.data_directory);
  status.Update((*host)->Close());
  return report.ok() && !is_whole ? Ended(app, *report) : Ended(app, status);
}

}  // namespace everfold
