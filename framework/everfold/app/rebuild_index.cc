#include "everfold/app/rebuild_index.h"

#include <memory>

#include "absl/strings/str_format.h"
#include "everfold/app/engine.h"
#include "everfold/app/host.h"
#include "everfold/app/print_error.h"
#include "everfold/app/progress_bar.h"
#include "everfold/base/counted.h"
#include "everfold/base/status.h"

namespace everfold {
namespace {

// The log has been opened by now: nobody else uses the index, and what is deleted can be built again.
absl::Status Rebuild(Host& host) {
  VerbProgressBar bar("events");
  EventStoreOptions options = host.store_options();
  options.on_index_progress = [&bar](const IndexProgress& progress) { bar.Update(progress.events, progress.total); };
  EVERFOLD_RETURN_IF_ERROR(options.index.files->RemoveAll(options.index.directory));
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<EventStore> store,
                            EventStore::Open(options, host.log(), host.executor(), host.clock(), host.random()));
  const std::uint64_t events = CountEvents(*store);
  WaitForClose([&store](Task done) { store->Close(std::move(done)); });
  absl::PrintF("index: rebuilt from %s\n", Counted(events, "event"));
  return absl::OkStatus();
}

}  // namespace

ExitCode RebuildIndex(const std::string& app, const CommandLine& line) {
  auto host = Host::Open({.data_directory = line.data_directory, .create = false});
  absl::Status status = host.status();
  if (status.ok()) {
    status = Rebuild(**host);
    status.Update((*host)->Close());
  }
  if (status.ok()) return ExitCode::kOk;
  PrintStoreError(app, status);
  return ExitCodeOf(status);
}

}  // namespace everfold
