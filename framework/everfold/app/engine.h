// Everything between a transport and a log: the store, the command side, projections and queries, wired and started in
// the right order. App runs it behind gRPC on the embedded log, tests run the same on a log in memory, and a program
// that wants no server of its own uses it as a library.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/app/parts.h"
#include "everfold/base/clock.h"
#include "everfold/base/random.h"
#include "everfold/command/command_handler.h"
#include "everfold/log/partition_log.h"
#include "everfold/process/process.h"
#include "everfold/projection/projection.h"
#include "everfold/projection/projection_type.h"
#include "everfold/query/query_engine.h"
#include "everfold/reaction/reactor.h"
#include "everfold/runtime/executor.h"
#include "everfold/store/event_store.h"
#include "everfold/telemetry/logger.h"

namespace everfold {

struct EngineOptions {
  // Read models are kept in <data_directory>/read, descriptions of event types in <data_directory>/types. Without it
  // changes of event types are not found.
  std::string data_directory;
  EventStoreOptions store;
  CommandHandlerOptions commands;
  ProjectionRunnerOptions projections;                         // without a directory or logger: those of here
  ReactorRunnerOptions reactors;                               // likewise; without a clock or randomness: those of here
  ProcessRunnerOptions processes;                              // likewise; in <data_directory>/process
  std::size_t max_queries = QueryEngineOptions().max_queries;  // at a time; further ones are refused
  // Of threads for lists and SQL (query_engine.h). nullptr: they run on `executor`, and hold up its commands.
  std::function<std::unique_ptr<Executor>(int threads)> make_readers = nullptr;
  Logger* logger = nullptr;  // nullptr: silent
};

// Threading: thread-safe, but for Start and Close. Lifetime: log, executor, clock, random and logger outlive it.
// Destroyed without Close, or before `done` of Close was called, it must not be while steps of it may still run: that
// is for tests of a crash.
class Engine {
 public:
  // Opens the store, then starts the projections, the reactors and the processes.
  //   INVALID_ARGUMENT  two parts claim the same name (Parts::Validate)
  //   FAILED_PRECONDITION  the store has events that these parts would misread (INCOMPATIBLE_TYPE)
  //   anything that EventStore::Open, Projection::Open, Reactor::Open and Process::Open say
  static absl::StatusOr<std::unique_ptr<Engine>> Start(EngineOptions options, Parts parts, PartitionLog& log,
                                                       Executor& executor, const Clock& clock, RandomSource& random);

  EventStore& store() { return *store_; }
  CommandHandler& commands() { return *commands_; }
  QueryEngine& queries() { return *queries_; }
  const std::vector<std::unique_ptr<Projection>>& projections() const { return projections_; }
  const std::vector<std::unique_ptr<Reactor>>& reactors() const { return reactors_; }
  const std::vector<std::unique_ptr<Process>>& processes() const { return processes_; }

  // In this order: ends the processes, takes no further command, waits for reactions that are under way, makes durable
  // what is under way, lets queries end, ends the projections. Then calls `done`. The log is the caller's to close.
  void Close(Task done);

 private:
  Engine() = default;
  absl::Status OpenProjections(const ProjectionRunnerOptions& options, std::vector<ProjectionType> types,
                               Executor& executor);
  absl::Status OpenProcesses(const ProcessRunnerOptions& options, std::vector<ProcessType> types, Executor& executor);
  absl::Status OpenReactors(const ReactorRunnerOptions& options, std::vector<ReactorType> types, Executor& executor);
  void CloseProcesses(Task done);
  void CloseReactors(Task done);
  void CloseProjections(std::size_t first, Task done);
  void LogOpened(Logger& logger) const;

  // Destroyed from the last to the first, each before what it uses.
  std::unique_ptr<EventStore> store_;
  std::unique_ptr<CommandHandler> commands_;
  std::vector<std::unique_ptr<Projection>> projections_;
  std::unique_ptr<QueryEngine> queries_;
  std::vector<std::unique_ptr<Reactor>> reactors_;
  std::vector<std::unique_ptr<Process>> processes_;
};

// Number of events in the store.
std::uint64_t CountEvents(const EventStore& store);

}  // namespace everfold
