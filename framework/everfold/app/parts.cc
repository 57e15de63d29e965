#include "everfold/app/parts.h"

#include <algorithm>
#include <map>
#include <string>

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"

namespace everfold {
namespace {

// Names of one kind, and who has them.
class Claims {
 public:
  explicit Claims(const char* kind) : kind_(kind) {}

  absl::Status Add(const std::string& name, const std::string& claimant) {
    const auto [claim, is_new] = claims_.emplace(name, claimant);
    if (is_new) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrFormat("the %s %s is there twice: in %s and in %s", kind_, name, claim->second, claimant));
  }
  bool Has(const std::string& name) const { return claims_.contains(name); }

 private:
  const char* kind_;
  std::map<std::string, std::string> claims_;
};

std::string Numbered(const char* part, std::size_t index) { return absl::StrFormat("%s #%d", part, index + 1); }

// Events are stored under the names of each other only where one is superseded.
absl::Status CheckStoredForms(const std::vector<AggregateType>& aggregates) {
  Claims names("event");
  for (const AggregateType& aggregate : aggregates) {
    for (const auto& [name, form] : aggregate.stored_forms) {
      EVERFOLD_RETURN_IF_ERROR(names.Add(name, form.becomes + ", which it is read as"));
      for (const AggregateType& other : aggregates) {
        if (other.events.contains(name)) {
          EVERFOLD_RETURN_IF_ERROR(names.Add(name, "aggregate " + other.name));
        }
      }
    }
  }
  return absl::OkStatus();
}

// A boundary sees what deciders have allowed.
absl::Status CheckEvents(const BoundaryType& boundary, const std::vector<AggregateType>& aggregates) {
  for (const auto& [name, evolve] : boundary.events) {
    const bool is_known =
        std::any_of(aggregates.begin(), aggregates.end(),
                    [&event = name](const AggregateType& aggregate) { return aggregate.events.contains(event); });
    if (is_known) continue;
    return absl::InvalidArgumentError(absl::StrFormat(
        "the boundary %s relies on events %s, whose aggregate is no part; add it", boundary.name, name));
  }
  return absl::OkStatus();
}

absl::Status CheckCommands(const ProcessType& process, const Claims& commands) {
  for (const auto& [name, type] : process.commands) {
    if (commands.Has(name)) continue;
    return absl::InvalidArgumentError(
        absl::StrFormat("the process %s sends the command %s, whose aggregate is no part; add it", process.name, name));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Parts::Validate() const {
  Claims part_names("name"), commands("command"), projection_names("projection"), read_models("read model");
  Claims reactor_names("reactor"), process_names("process");
  for (std::size_t i = 0; i < aggregates.size(); ++i) {
    EVERFOLD_RETURN_IF_ERROR(part_names.Add(aggregates[i].name, Numbered("Aggregate", i)));
    for (const auto& [command, type] : aggregates[i].commands) {
      EVERFOLD_RETURN_IF_ERROR(commands.Add(command, "aggregate " + aggregates[i].name));
    }
  }
  for (std::size_t i = 0; i < boundaries.size(); ++i) {
    EVERFOLD_RETURN_IF_ERROR(part_names.Add(boundaries[i].name, Numbered("Boundary", i)));
    for (const auto& [command, type] : boundaries[i].commands) {
      EVERFOLD_RETURN_IF_ERROR(commands.Add(command, "boundary " + boundaries[i].name));
    }
    EVERFOLD_RETURN_IF_ERROR(CheckEvents(boundaries[i], aggregates));
  }
  EVERFOLD_RETURN_IF_ERROR(CheckStoredForms(aggregates));
  for (std::size_t i = 0; i < projections.size(); ++i) {
    EVERFOLD_RETURN_IF_ERROR(projection_names.Add(projections[i].name, Numbered("Projection", i)));
    for (const ReadModelSchema* const schema : projections[i].read_models) {
      EVERFOLD_RETURN_IF_ERROR(read_models.Add(schema->message, "projection " + projections[i].name));
    }
  }
  for (std::size_t i = 0; i < reactors.size(); ++i) {
    EVERFOLD_RETURN_IF_ERROR(reactors[i].Validate());
    EVERFOLD_RETURN_IF_ERROR(reactor_names.Add(reactors[i].name, Numbered("Reactor", i)));
  }
  for (std::size_t i = 0; i < processes.size(); ++i) {
    EVERFOLD_RETURN_IF_ERROR(processes[i].Validate());
    EVERFOLD_RETURN_IF_ERROR(process_names.Add(processes[i].name, Numbered("Process", i)));
    EVERFOLD_RETURN_IF_ERROR(CheckCommands(processes[i], commands));
  }
  return absl::OkStatus();
}

}  // namespace everfold
