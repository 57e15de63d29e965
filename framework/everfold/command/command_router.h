// Everything that can be said about a command without its stream: whose it is, whether its fields keep their rules,
// which stream it is for, and whether it can be told from others.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/command/bounded_command.h"
#include "everfold/command/routed_command.h"

namespace everfold {

// Threading: thread-safe. Lifetime: aggregates, boundaries, store, clock and random outlive it.
class CommandRouter {
 public:
  CommandRouter(const std::vector<AggregateType>& aggregates, const std::vector<BoundaryType>& boundaries,
                const EventStore& store, const Clock& clock, RandomSource& random);

  // INVALID_ARGUMENT or UNIMPLEMENTED as CommandHandler::Handle says. REQUIRES: the request has a command.
  absl::StatusOr<RoutedCommandPtr> Route(CommandRequest request, TaskScope::Guard guard, Admission::Place place) const;
  // Likewise, as CommandHandler::GetState says.
  absl::StatusOr<RoutedCommandPtr> Route(const StateRequest& request, TaskScope::Guard guard,
                                         Admission::Place place) const;

  // Likewise, for a command to a boundary. REQUIRES: the target is one.
  absl::StatusOr<BoundedCommandPtr> RouteToBoundary(CommandRequest request, const CommandTarget& target,
                                                    TaskScope::Guard guard, Admission::Place place) const;

  // nullopt if nobody takes it.
  std::optional<CommandTarget> Find(const std::string& command) const {
    const auto found = by_command_.find(command);
    return found == by_command_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  static absl::Status CheckRequest(const CommandRequest& request, const CommandType& type);
  absl::Status CheckBounded(BoundedCommand& command) const;
  std::unique_ptr<google::protobuf::Message> WithDerivedId(const CommandRequest& request,
                                                           const CommandType& type) const;
  CommandId IdOf(const CommandRequest& request, const std::string& type) const;

  const EventStore& store_;
  const Clock& clock_;
  RandomSource& random_;
  absl::flat_hash_map<std::string, CommandTarget> by_command_;           // by full message name
  absl::flat_hash_map<std::string, const AggregateType*> by_aggregate_;  // by name
};

}  // namespace everfold
