#include "everfold/app/engine.h"

#include <algorithm>
#include <utility>

#include "everfold/app/stored_types.h"
#include "everfold/app/type_copies.h"
#include "everfold/base/status.h"
#include "everfold/runtime/task_scope.h"

namespace everfold {
namespace {

// A process sends its command again until the answer is on record. What was decided without an event, a rejection or no
// change, is to be answered the same then: so it is recorded, whatever the type says.
void RecordOutcomesOfProcesses(Parts& parts) {
  for (const ProcessType& process : parts.processes) {
    for (const auto& [name, sent] : process.commands) {
      for (AggregateType& aggregate : parts.aggregates) {
        if (const auto found = aggregate.commands.find(name); found != aggregate.commands.end()) {
          found->second.records_outcomes = true;
        }
      }
      for (BoundaryType& boundary : parts.boundaries) {
        if (const auto found = boundary.commands.find(name); found != boundary.commands.end()) {
          found->second.type.records_outcomes = true;
        }
      }
    }
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Engine>> Engine::Start(EngineOptions options, Parts parts, PartitionLog& log,
                                                      Executor& executor, const Clock& clock, RandomSource& random) {
  EVERFOLD_RETURN_IF_ERROR(parts.Validate());
  if (options.projections.directory.empty()) options.projections.directory = options.data_directory + "/read";
  if (options.projections.logger == nullptr) options.projections.logger = options.logger;
  if (options.reactors.data_directory.empty()) options.reactors.data_directory = options.data_directory;
  if (options.reactors.logger == nullptr) options.reactors.logger = options.logger;
  if (options.reactors.clock == nullptr) options.reactors.clock = &clock;
  if (options.reactors.random == nullptr) options.reactors.random = &random;

  if (options.processes.directory.empty()) options.processes.directory = options.data_directory + "/process";
  if (options.processes.logger == nullptr) options.processes.logger = options.logger;
  if (options.processes.clock == nullptr) options.processes.clock = &clock;
  if (options.processes.random == nullptr) options.processes.random = &random;
  // A day less, as the log's clock may be ahead of this one.
  const absl::Duration kept = options.store.index.command_retention;
  options.processes.command_retention =
      std::min(options.processes.command_retention, kept - std::min(absl::Hours(24), kept / 2));

  options.store.stored_names = StoredNamesOf(parts.aggregates);
  AddStoredForms(parts.aggregates, parts.projections);
  AddStoredForms(parts.aggregates, parts.reactors);
  AddStoredForms(parts.aggregates, parts.processes);
  RecordOutcomesOfProcesses(parts);

  std::unique_ptr<Engine> engine(new Engine);
  EVERFOLD_ASSIGN_OR_RETURN(engine->store_, EventStore::Open(options.store, log, executor, clock, random));
  if (!options.data_directory.empty()) {
    EVERFOLD_RETURN_IF_ERROR(PosixFiles().MakeDirectory(options.data_directory));
    EVERFOLD_RETURN_IF_ERROR(CheckStoredTypes(parts.aggregates, *engine->store_, PosixFiles(),
                                              TypeFilePath(options.data_directory), options.logger));
  }
  if (options.logger != nullptr) {
    WarnOfForeignTypes(parts, *engine->store_, *options.logger);
  }
  EVERFOLD_RETURN_IF_ERROR(engine->OpenProjections(options.projections, std::move(parts.projections), executor));
  EVERFOLD_RETURN_IF_ERROR(engine->OpenReactors(options.reactors, std::move(parts.reactors), executor));
  engine->commands_ = CommandHandler::Create(options.commands, std::move(parts.aggregates), std::move(parts.boundaries),
                                             *engine->store_, executor, clock, random);
  EVERFOLD_RETURN_IF_ERROR(engine->OpenProcesses(options.processes, std::move(parts.processes), executor));
  std::vector<Projection*> queried;
  for (const auto& projection : engine->projections_) queried.push_back(projection.get());
  EVERFOLD_ASSIGN_OR_RETURN(engine->queries_, QueryEngine::Create(std::move(queried), executor, clock,
                                                                  {.max_queries = options.max_queries,
                                                                   .make_readers = options.make_readers}));
  if (options.logger != nullptr) engine->LogOpened(*options.logger);
  for (const auto& projection : engine->projections_) projection->Start();
  // Nobody can append a command's events yet: a new reactor's place is in the log before them.
  for (const auto& reactor : engine->reactors_) reactor->Start();
  for (const auto& process : engine->processes_) process->Start();
  return engine;
}

void Engine::LogOpened(Logger& logger) const {
  logger.Info("store opened", {{"events", std::to_string(CountEvents(*store_))}});
  for (const auto& projection : projections_) {
    logger.Info("projection opened", {{"projection", projection->type().name},
                                      {"file", projection->path()},
                                      {"events_behind", std::to_string(projection->lag_events())}});
  }
  for (const auto& reactor : reactors_) {
    const ReactorStatus status = reactor->Describe();
    logger.Info("reactor opened", {{"reactor", status.name},
                                   {"events_behind", std::to_string(status.lag_events)},
                                   {"parked_keys", std::to_string(status.parked_keys)}});
  }
  for (const auto& process : processes_) {
    const ProcessStatus status = process->Describe();
    logger.Info("process opened", {{"process", status.name},
                                   {"events_behind", std::to_string(status.lag_events)},
                                   {"instances", std::to_string(status.instances)},
                                   {"parked", std::to_string(status.parked)}});
  }
}

absl::Status Engine::OpenProjections(const ProjectionRunnerOptions& options, std::vector<ProjectionType> types,
                                     Executor& executor) {
  for (ProjectionType& type : types) {
    EVERFOLD_ASSIGN_OR_RETURN(auto projection, Projection::Open(options, std::move(type), *store_, executor));
    projections_.push_back(std::move(projection));
  }
  return absl::OkStatus();
}

absl::Status Engine::OpenReactors(const ReactorRunnerOptions& options, std::vector<ReactorType> types,
                                  Executor& executor) {
  for (ReactorType& type : types) {
    EVERFOLD_ASSIGN_OR_RETURN(auto reactor, Reactor::Open(options, std::move(type), *store_, executor));
    reactors_.push_back(std::move(reactor));
  }
  return absl::OkStatus();
}

absl::Status Engine::OpenProcesses(const ProcessRunnerOptions& options, std::vector<ProcessType> types,
                                   Executor& executor) {
  for (ProcessType& type : types) {
    EVERFOLD_ASSIGN_OR_RETURN(auto process, Process::Open(options, std::move(type), *store_, *commands_, executor));
    processes_.push_back(std::move(process));
  }
  return absl::OkStatus();
}

void Engine::Close(Task done) {
  CloseProcesses([this, done = std::move(done)]() mutable {  // they wait for their commands
    commands_->Close([this, done = std::move(done)]() mutable {
      CloseReactors([this, done = std::move(done)]() mutable {  // they save their places in the store
        store_->Close([this, done = std::move(done)]() mutable {
          queries_->Close([this, done = std::move(done)]() mutable { CloseProjections(0, std::move(done)); });
        });
      });
    });
  });
}

void Engine::CloseProcesses(Task done) {
  TaskScope scope;
  for (const auto& process : processes_) process->Close([guard = scope.Enter()] {});
  scope.Close(std::move(done));
}

// All at a time: the longest handler under way is what is waited for.
void Engine::CloseReactors(Task done) {
  TaskScope scope;
  for (const auto& reactor : reactors_) reactor->Close([guard = scope.Enter()] {});
  scope.Close(std::move(done));
}

void Engine::CloseProjections(std::size_t first, Task done) {
  if (first == projections_.size()) return done();
  projections_[first]->Close(
      [this, first, done = std::move(done)]() mutable { CloseProjections(first + 1, std::move(done)); });
}

std::uint64_t CountEvents(const EventStore& store) {
  std::uint64_t count = 0;
  for (const Offset offset : store.DurableHead().offsets) count += offset.value();
  return count;
}

}  // namespace everfold
