// What an application consists of, without a transport: the same list serves App, tests and library users.
//
//   Parts parts;
//   parts.Aggregate<WalletDecider>().Projection<Balances>();
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "everfold/decide/aggregate_type.h"
#include "everfold/projection/projection_type.h"

namespace everfold {

struct Parts {
  std::vector<AggregateType> aggregates;
  std::vector<ProjectionType> projections;

  template <class Decider>
  Parts& Aggregate() {
    aggregates.push_back(MakeAggregateType<Decider>());
    return *this;
  }

  template <class P>
  Parts& Projection() {
    projections.push_back(MakeProjectionType<P>());
    return *this;
  }

  // INVALID_ARGUMENT, naming it, if two parts claim the same aggregate name, command, projection name or read model, or
  // an event's earlier name is the name of another event.
  absl::Status Validate() const;
};

}  // namespace everfold
