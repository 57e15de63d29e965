#include "everfold/app/serve.h"

#include <csignal>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "everfold/app/engine.h"
#include "everfold/app/host.h"
#include "everfold/app/print_error.h"
#include "everfold/app/type_copies.h"
#include "everfold/base/status.h"
#include "everfold/rpc/admin_service.h"
#include "everfold/rpc/command_service.h"
#include "everfold/rpc/event_store_service.h"
#include "everfold/rpc/grpc_server.h"
#include "everfold/rpc/listen_address.h"
#include "everfold/rpc/process_service.h"
#include "everfold/rpc/projection_service.h"
#include "everfold/rpc/reactor_service.h"
#include "everfold/rpc/sql_service.h"
#include "everfold/runtime/asio_executor.h"
#include "everfold/runtime/signals.h"

namespace everfold {
namespace {

constexpr absl::Duration kLookInterval = absl::Milliseconds(200);  // at the store's health
constexpr absl::Duration kTellInterval = absl::Seconds(5);         // of a long start
constexpr absl::Duration kShutdownGrace = absl::Seconds(10);       // for calls under way

using Services = std::vector<std::unique_ptr<RpcService>>;

Services MakeServices(const ServiceFactories& factories, Engine& engine) {
  Services services;
  for (const auto make : factories.commands) services.push_back(make(engine.commands()));
  for (const auto make : factories.queries) services.push_back(make(engine.queries()));
  return services;
}

std::vector<Projection*> ProjectionsOf(const Engine& engine) {
  std::vector<Projection*> projections;
  for (const auto& projection : engine.projections()) projections.push_back(projection.get());
  return projections;
}

std::vector<Process*> ProcessesOf(const Engine& engine) {
  std::vector<Process*> processes;
  for (const auto& process : engine.processes()) processes.push_back(process.get());
  return processes;
}

std::vector<Reactor*> ReactorsOf(const Engine& engine) {
  std::vector<Reactor*> reactors;
  for (const auto& reactor : engine.reactors()) reactors.push_back(reactor.get());
  return reactors;
}

RawAppendRules RulesOf(const Parts& parts, const CommandLine& line) {
  RawAppendRules rules{.allow_registered = line.allow_raw_appends};
  for (const AggregateType& aggregate : parts.aggregates) {
    auto& types = rules.aggregates[aggregate.name];
    for (const auto& [name, type] : aggregate.events) types.insert(name);
    for (const auto& [name, form] : aggregate.stored_forms) types.insert(name);
    for (const auto& [name, type] : aggregate.commands) rules.commands.insert(name);
  }
  for (const BoundaryType& boundary : parts.boundaries) {
    for (const auto& [name, type] : boundary.commands) rules.commands.insert(name);
  }
  return rules;
}

// An index that has to take in the whole log may need minutes: who waits is told why, and how far it is.
void LogIndexing(EventStoreOptions& options, const Clock& clock, Logger& logger) {
  options.on_index_began_anew = [&logger](const std::string& why) {
    logger.Info("the index begins anew", {{"because", why}});
  };
  options.on_index_progress = [&clock, &logger, told = clock.Now()](const IndexProgress& progress) mutable {
    if (clock.Now() - told < kTellInterval) return;
    told = clock.Now();
    logger.Info("indexing", {{"events", std::to_string(progress.events)}, {"of", std::to_string(progress.total)}});
  };
}

// In files of their own, which may be deleted at any time.
absl::StatusOr<std::unique_ptr<SnapshotStore>> OpenSnapshots(const std::string& data_directory, Logger& logger) {
  std::string began_anew;
  absl::StatusOr<std::unique_ptr<SnapshotStore>> snapshots =
      OpenSnapshotFiles({.files = &PosixFiles(), .directory = data_directory + "/snapshots"}, began_anew);
  if (!began_anew.empty()) logger.Info("the snapshots begin anew", {{"because", began_anew}});
  return snapshots;
}

void LogCommands(CommandHandlerOptions& options, Logger& logger) {
  options.on_slow_decision = [&logger](const std::string& command, const StreamId& stream, absl::Duration took) {
    logger.Warning("a decision took long", {{"command", command},
                                            {"stream", stream.id.empty() ? stream.aggregate : stream.ToString()},
                                            {"took", absl::FormatDuration(absl::Trunc(took, absl::Microseconds(1)))}});
  };
  options.snapshot.on_wrong = [&logger](const StreamId& stream, Version version) {
    logger.Error("a snapshot is not what its events come to; Evolve has changed without another kRevision",
                 {{"stream", stream.ToString()}, {"version", std::to_string(version.value())}});
  };
}

// Into each backup of the log.
CompleteBackup CopiesOfTypes(const std::string& data_directory, Logger& logger) {
  return [types = TypeFilePath(data_directory), &logger](const std::string& backup) {
    std::string left_out;
    const absl::Status copied = CopyTypes(PosixFiles(), types, TypeFilePath(backup), left_out);
    if (!left_out.empty()) logger.Warning("a backup is without descriptions of types", {{"because", left_out}});
    return copied;
  };
}

// Asked before the store is opened, so that a wrong address leaves nothing behind and costs no time.
absl::Status CheckAddresses(const CommandLine& line) {
  for (const std::string& address : line.listen) EVERFOLD_RETURN_IF_ERROR(CheckListenAddress(address));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<GrpcServer>> StartServer(const CommandLine& line, const Services& services) {
  GrpcServerOptions options;
  options.addresses = line.listen;
  std::vector<RpcService*> borrowed;
  for (const auto& service : services) borrowed.push_back(service.get());
  return GrpcServer::Start(options, borrowed);
}

// Until somebody asks to stop: OK; or until the store has failed: why. A projection that stops says so itself, and
// leaves the rest of the application at work.
absl::Status RunUntilStopped(Engine& engine, SignalWaiter& signals, Logger& logger) {
  while (true) {
    if (const auto signal = signals.WaitFor(kLookInterval); signal.has_value()) {
      logger.Info("stopping", {{"signal", *signal == SIGINT ? "SIGINT" : "SIGTERM"}});
      return absl::OkStatus();
    }
    if (absl::Status status = engine.store().health(); !status.ok()) return status;
  }
}

absl::Status Stop(Engine& engine, SnapshotStore& snapshots, Host& host) {
  WaitForClose([&engine](Task done) { engine.Close(std::move(done)); });
  WaitForClose([&snapshots](Task done) { snapshots.Close(std::move(done)); });
  return host.Close();
}

ExitCode Refuse(const std::string& app, const absl::Status& status) {
  PrintStoreError(app, status);
  return ExitCodeOf(status);
}

ExitCode RefuseToListen(const std::string& app, const absl::Status& status) {
  PrintError(app, status);
  return absl::IsInvalidArgument(status) ? ExitCode::kUsage : ExitCode::kCannotListen;
}

ExitCode RunServer(GrpcServer& server, Engine& engine, SnapshotStore& snapshots, Host& host, SignalWaiter& signals,
                   Logger& logger) {
  const absl::Status failure = RunUntilStopped(engine, signals, logger);
  server.Shutdown(host.clock().Now() + kShutdownGrace);
  const absl::Status closed = Stop(engine, snapshots, host);
  if (!failure.ok()) {
    logger.Error("the store has failed", {{"cause", failure.ToString()}});
    return ExitCode::kFatal;
  }
  if (!closed.ok()) logger.Error("the log did not close", {{"cause", closed.ToString()}});
  logger.Info("stopped", {});
  return closed.ok() ? ExitCode::kOk : ExitCode::kFatal;
}

}  // namespace

ExitCode Serve(const std::string& app, const Parts& parts, const ServiceFactories& factories, const CommandLine& line,
               Logger& logger) {
  SignalWaiter signals(static_cast<int>(ExitCode::kKilledByUser));
  const absl::Time began = SystemClock().Now();
  if (const absl::Status status = CheckAddresses(line); !status.ok()) return RefuseToListen(app, status);
  auto host =
      Host::Open({.data_directory = line.data_directory, .partitions = line.partitions, .threads = line.threads});
  if (!host.ok()) return Refuse(app, host.status());
  auto snapshots = OpenSnapshots(line.data_directory, logger);
  if (!snapshots.ok()) return Refuse(app, snapshots.status());

  EngineOptions options;
  options.data_directory = line.data_directory;
  options.store = (*host)->store_options();
  LogIndexing(options.store, (*host)->clock(), logger);
  options.commands.snapshots = snapshots->get();
  LogCommands(options.commands, logger);
  options.make_readers = [](int threads) { return std::make_unique<AsioExecutor>(threads); };
  options.logger = &logger;
  auto engine = Engine::Start(options, parts, (*host)->log(), (*host)->executor(), (*host)->clock(), (*host)->random());
  if (!engine.ok()) return Refuse(app, engine.status());

  Services services = MakeServices(factories, **engine);
  services.push_back(MakeCommandService((*engine)->commands()));
  services.push_back(MakeAdminService((*engine)->store(), (*host)->embedded_log(), line.data_directory,
                                      (*host)->clock(), CopiesOfTypes(line.data_directory, logger)));
  services.push_back(MakeProjectionService(ProjectionsOf(**engine), (*engine)->store()));
  services.push_back(MakeReactorService(ReactorsOf(**engine)));
  services.push_back(MakeProcessService(ProcessesOf(**engine), (*engine)->store()));
  services.push_back(
      MakeEventStoreService((*engine)->store(), (*host)->embedded_log(), (*host)->executor(), RulesOf(parts, line)));
  if (line.allow_sql) services.push_back(MakeSqlService((*engine)->queries()));
  auto server = StartServer(line, services);
  if (!server.ok()) {
    (void)Stop(**engine, **snapshots, **host);  // nothing was written
    return RefuseToListen(app, server.status());
  }
  logger.Info("ready", {{"app", app},
                        {"listen", absl::StrJoin((*server)->addresses(), ", ")},
                        {"data", line.data_directory},
                        {"events", std::to_string(CountEvents((*engine)->store()))},
                        {"opened_in",
                         absl::FormatDuration(absl::Trunc((*host)->clock().Now() - began, absl::Milliseconds(1)))}});
  return RunServer(**server, **engine, **snapshots, **host, signals, logger);
}

}  // namespace everfold
