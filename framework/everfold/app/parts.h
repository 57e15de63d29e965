// What an application consists of, without a transport: the same list serves App, tests and library users.
//
//   Parts parts;
//   parts.Aggregate<WalletDecider>().Projection<Balances>();
#pragma once

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "everfold/decide/aggregate_type.h"
#include "everfold/decide/boundary_type.h"
#include "everfold/process/process_type.h"
#include "everfold/projection/projection_type.h"
#include "everfold/reaction/reactor_type.h"

namespace everfold {

struct Parts {
  std::vector<AggregateType> aggregates;
  std::vector<BoundaryType> boundaries = {};
  std::vector<ProjectionType> projections;
  std::vector<ReactorType> reactors = {};
  std::vector<ProcessType> processes = {};

  template <class Decider>
  Parts& Aggregate() {
    aggregates.push_back(MakeAggregateType<Decider>());
    return *this;
  }

  // Its decider emits events of aggregates that are parts as well.
  template <class Decider>
  Parts& Boundary() {
    boundaries.push_back(MakeBoundaryType<Decider>());
    return *this;
  }

  template <class P>
  Parts& Projection() {
    projections.push_back(MakeProjectionType<P>());
    return *this;
  }

  // Its object is made of the arguments (MakeReactorType).
  template <class R, class... Arguments>
  Parts& Reactor(Arguments... arguments) {
    reactors.push_back(MakeReactorType<R>(std::move(arguments)...));
    return *this;
  }

  // `activities` are the objects of those activities that have members (MakeProcessType). Aggregates whose
  // commands it sends are parts as well.
  template <class P, class... Activities>
  Parts& Process(Activities... activities) {
    processes.push_back(MakeProcessType<P>(std::move(activities)...));
    return *this;
  }

  // INVALID_ARGUMENT, naming it, if two parts claim the same name of an aggregate or a boundary, command, projection,
  // reactor, process or read model, an event's earlier name is the name of another event, a boundary relies on events
  // of no aggregate that is a part, a process sends commands that no part takes, or a reactor or a process has a name
  // or options that cannot be.
  absl::Status Validate() const;
};

}  // namespace everfold
