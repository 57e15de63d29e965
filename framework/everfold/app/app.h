// An application is the list of its parts:
//
//   int main(int argc, char** argv) {
//     return everfold::App("wallet").Aggregate<WalletDecider>().Projection<Balances>().Main(argc, argv);
//   }
//
// The binary then takes commands and answers queries over gRPC, and has the command line of app/command_line.h.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "everfold/app/exit_code.h"
#include "everfold/app/parts.h"
#include "everfold/decide/traits.h"
#include "everfold/projection/read_model.h"
#include "everfold/rpc/rpc_service.h"

namespace everfold {

class CommandHandler;
class QueryEngine;

// Makes the gRPC services of the parts.
struct ServiceFactories {
  std::vector<std::unique_ptr<RpcService> (*)(CommandHandler&)> commands;  // one for each aggregate and boundary
  std::vector<std::unique_ptr<RpcService> (*)(QueryEngine&)> queries;      // one for each read model
};

// Threading: one thread.
class App {
 public:
  // `name` as an aggregate's: [a-z][a-z0-9_]{0,63}. It is the name of the default data directory.
  explicit App(std::string name) : name_(std::move(name)) {}

  // Needs the generated header of the aggregate's .proto file.
  template <class Decider>
  App& Aggregate() {
    parts_.Aggregate<Decider>();
    services_.commands.push_back(&AggregateOf<typename Decider::Aggregate>::MakeCommandService);
    return *this;
  }

  // Needs the generated header of the boundary's .proto file, and the aggregates whose events it emits.
  template <class Decider>
  App& Boundary() {
    parts_.Boundary<Decider>();
    services_.commands.push_back(&BoundaryOf<typename Decider::Boundary>::MakeCommandService);
    return *this;
  }

  template <class P>
  App& Projection() {
    parts_.Projection<P>();
    AddQueryServices(typename P::ReadModels::List{});
    return *this;
  }

  // What it does has effects outside. Its object is made of the arguments when the application opens, with a
  // ReactorSetup before them if it has such a constructor (reaction/reactor_type.h).
  template <class R, class... Arguments>
  App& Reactor(Arguments... arguments) {
    parts_.Reactor<R>(std::move(arguments)...);
    return *this;
  }

  // What happens over time, across aggregates and with the outside (process/process_type.h). `activities` are the
  // objects of those activities that have members.
  template <class P, class... Activities>
  App& Process(Activities... activities) {
    parts_.Process<P>(std::move(activities)...);
    return *this;
  }

  const Parts& parts() const { return parts_; }

  // Does what the command line says, and returns the process's exit code (app/exit_code.h). Serving ends with SIGINT or
  // SIGTERM: no further call is taken, what is under way ends and is made durable. A second signal ends it at once.
  int Main(int argc, char** argv);

 private:
  template <class... Rows>
  void AddQueryServices(Types<Rows...>) {
    (services_.queries.push_back(&ReadModelTraits<Rows>::MakeQueryService), ...);
  }

  const std::string name_;
  Parts parts_;
  ServiceFactories services_;
};

}  // namespace everfold
