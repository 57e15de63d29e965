#include "everfold/app/app.h"

#include <cstdio>

#include "absl/strings/str_format.h"
#include "everfold/app/backup.h"
#include "everfold/app/command_line.h"
#include "everfold/app/export.h"
#include "everfold/app/print_error.h"
#include "everfold/app/processes.h"
#include "everfold/app/projections.h"
#include "everfold/app/reactors.h"
#include "everfold/app/rebuild.h"
#include "everfold/app/rebuild_ahead.h"
#include "everfold/app/rebuild_index.h"
#include "everfold/app/serve.h"
#include "everfold/app/verify.h"
#include "everfold/base/allocator_settings.h"  // of the program that links this
#include "everfold/telemetry/spdlog_logger.h"

namespace everfold {
namespace {

ExitCode Print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  return ExitCode::kOk;
}

ExitCode Run(const std::string& app, const Parts& parts, const ServiceFactories& services, const CommandLine& line) {
  switch (line.verb) {
    case Verb::kServe: {
      const auto logger = MakeSpdlogLogger({.least = line.log_level});
      return Serve(app, parts, services, line, *logger);
    }
    case Verb::kRebuild:
      return line.ahead ? RebuildAhead(app, parts, line) : Rebuild(app, parts, line);
    case Verb::kRebuildIndex:
      return RebuildIndex(app, line);
    case Verb::kProjections:
      return Projections(app, line);
    case Verb::kParked:
      return Parked(app, line);
    case Verb::kReactors:
      return Reactors(app, line);
    case Verb::kProcesses:
      return Processes(app, parts, line);
    case Verb::kVerify:
      return Verify(app, parts, line);
    case Verb::kBackup:
      return Backup(app, line);
    case Verb::kRestore:
      return Restore(app, line);
    case Verb::kSalvage:
      return Salvage(app, line);
    case Verb::kExport:
      return Export(app, line);
    case Verb::kImport:
      return Import(app, line);
    case Verb::kVersion:
      return Print(absl::StrFormat("%s, with Everfold %s\n", app, EVERFOLD_VERSION));
    case Verb::kHelp:
      return Print(line.help);
  }
  return ExitCode::kUsage;
}

}  // namespace

int App::Main(int argc, char** argv) {
  const absl::StatusOr<CommandLine> line = ParseCommandLine(name_, std::vector<std::string>(argv + 1, argv + argc));
  if (!line.ok()) {
    PrintError(name_, line.status());
    return static_cast<int>(ExitCode::kUsage);
  }
  return static_cast<int>(Run(name_, parts_, services_, *line));
}

}  // namespace everfold
