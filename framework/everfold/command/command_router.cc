#include "everfold/command/command_router.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "everfold/base/check.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/base/uuid.h"
#include "everfold/command/state_loader.h"
#include "everfold/v1/options.pb.h"

namespace everfold {
namespace {

using google::protobuf::Message;

// Name of the field that is marked as the id; the generator has seen to it that there is one.
std::string IdFieldOf(const google::protobuf::Descriptor& command) {
  for (int i = 0; i < command.field_count(); ++i) {
    if (command.field(i)->options().GetExtension(v1::field).id()) return command.field(i)->name();
  }
  return "";
}

// What is wrong with an id is told like any other broken field rule. False if something is.
bool ValidateId(const Message& command, const StreamId& stream, Violations& violations) {
  const absl::Status status = ValidateStreamId(stream);
  if (status.ok()) return true;
  const absl::string_view what = absl::StripPrefix(status.message(), "an id ");  // the field is named in front of it
  violations.Add(IdFieldOf(*command.GetDescriptor()), "id", std::string(what));
  return false;
}

}  // namespace

CommandRouter::CommandRouter(const std::vector<AggregateType>& aggregates, const std::vector<BoundaryType>& boundaries,
                             const EventStore& store, const Clock& clock, RandomSource& random)
    : store_(store), clock_(clock), random_(random) {
  for (const AggregateType& aggregate : aggregates) {
    EVERFOLD_CHECK(by_aggregate_.emplace(aggregate.name, &aggregate).second);
    for (const auto& [name, type] : aggregate.commands) {
      EVERFOLD_CHECK(by_command_.emplace(name, CommandTarget{&aggregate, &type}).second);
    }
  }
  for (const BoundaryType& boundary : boundaries) {
    for (const auto& [name, type] : boundary.commands) {
      EVERFOLD_CHECK(by_command_.emplace(name, CommandTarget{nullptr, &type.type, &boundary}).second);
    }
  }
}

// What can be said before the fields are looked at.
absl::Status CommandRouter::CheckRequest(const CommandRequest& request, const CommandType& type) {
  if (!request.request_id.empty()) return ValidateName(request.request_id, kMaxCommandIdBytes, "request_id");
  if (!type.needs_request_id) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
               absl::StrFormat("%s needs a request_id, so that a retry is safe", type.name), {{"command", type.name}});
}

absl::StatusOr<RoutedCommandPtr> CommandRouter::Route(CommandRequest request, TaskScope::Guard guard,
                                                      Admission::Place place) const {
  EVERFOLD_RETURN_IF_ERROR(request.refused);
  const std::string& name = request.command->GetDescriptor()->full_name();
  const auto target = by_command_.find(name);
  if (target == by_command_.end()) {
    return Error(absl::StatusCode::kUnimplemented, reason::kRequestInvalid,
                 absl::StrFormat("no aggregate of this application takes %s", name));
  }
  const AggregateType* const aggregate = target->second.aggregate;
  const CommandType* const type = target->second.type;
  EVERFOLD_RETURN_IF_ERROR(CheckRequest(request, *type));
  CommandId id = IdOf(request, name);
  std::unique_ptr<Message> made = WithDerivedId(request, *type);
  if (made != nullptr) request.command = made.get();
  StreamId stream{request.tenant, aggregate->name, type->id(*request.command)};
  Violations violations;
  const bool has_stream = ValidateId(*request.command, stream, violations);
  type->validate(*request.command, clock_.Now(), violations);
  absl::Status invalid = violations.ToStatus(name, request.field_path);
  if (id.empty() || !has_stream) EVERFOLD_RETURN_IF_ERROR(invalid);
  return RoutedCommandPtr(new RoutedCommand{.made = std::move(made),
                                            .request = std::move(request),
                                            .done = nullptr,
                                            .aggregate = aggregate,
                                            .type = type,
                                            .stream = std::move(stream),
                                            .id = std::move(id),
                                            .guard = std::move(guard),
                                            .place = std::move(place),
                                            .invalid = std::move(invalid)});
}

absl::StatusOr<BoundedCommandPtr> CommandRouter::RouteToBoundary(CommandRequest request, const CommandTarget& target,
                                                                 TaskScope::Guard guard, Admission::Place place) const {
  EVERFOLD_RETURN_IF_ERROR(request.refused);
  EVERFOLD_RETURN_IF_ERROR(CheckRequest(request, *target.type));
  if (request.expected_version.has_value()) {
    return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                 absl::StrFormat("%s is a command to a boundary, which has no version: expected_version is %d",
                                 target.type->name, request.expected_version->value()),
                 {{"command", target.type->name}});
  }
  EVERFOLD_RETURN_IF_ERROR(ValidateStreamId({request.tenant, target.boundary->name, "any"}));
  CommandId id = IdOf(request, target.type->name);
  BoundedCommandPtr command(new BoundedCommand{.request = std::move(request),
                                               .boundary = target.boundary,
                                               .type = &target.boundary->commands.at(target.type->name),
                                               .id = std::move(id),
                                               .guard = std::move(guard),
                                               .place = std::move(place)});
  command->invalid = CheckBounded(*command);
  if (command->id.empty()) EVERFOLD_RETURN_IF_ERROR(command->invalid);
  return command;
}

// Asks what it relies on; an error if its fields break rules, or nobody can read that.
absl::Status CommandRouter::CheckBounded(BoundedCommand& command) const {
  const google::protobuf::Message& message = *command.request.command;
  Violations violations;
  command.type->type.validate(message, clock_.Now(), violations);
  EVERFOLD_RETURN_IF_ERROR(violations.ToStatus(command.type->type.name, command.request.field_path));
  EVERFOLD_ASSIGN_OR_RETURN(command.query, command.boundary->Query(*command.type, message));
  EVERFOLD_RETURN_IF_ERROR(ValidateQuery(command.query));
  for (const QueryItem& item : command.query.items) {
    AddTag(command.keys, command.request.tenant + '\0' + item.tags.front());
  }
  return absl::OkStatus();
}

absl::StatusOr<RoutedCommandPtr> CommandRouter::Route(const StateRequest& request, TaskScope::Guard guard,
                                                      Admission::Place place) const {
  const auto aggregate = by_aggregate_.find(request.stream.aggregate);
  if (aggregate == by_aggregate_.end()) {
    return Error(absl::StatusCode::kUnimplemented, reason::kRequestInvalid,
                 absl::StrFormat("this application has no aggregate \"%s\"", request.stream.aggregate));
  }
  EVERFOLD_RETURN_IF_ERROR(ValidateStreamId(request.stream));
  if (request.version.has_value() && request.as_of.has_value()) {
    return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                 "a state is asked for as of a version or as of a time, not both");
  }
  CommandRequest asked;
  asked.deadline = request.deadline;
  return RoutedCommandPtr(new RoutedCommand{.made = nullptr,
                                            .request = std::move(asked),
                                            .done = nullptr,
                                            .aggregate = aggregate->second,
                                            .type = nullptr,
                                            .stream = request.stream,
                                            .id = {},
                                            .guard = std::move(guard),
                                            .place = std::move(place)});
}

// A creating command without an id gets one: derived from its request_id, so that a retry meets the same stream; else a
// new one.
std::unique_ptr<Message> CommandRouter::WithDerivedId(const CommandRequest& request, const CommandType& type) const {
  if (type.expect != Expect::kNew || !type.id(*request.command).empty()) return nullptr;
  std::unique_ptr<Message> made(request.command->New());
  made->CopyFrom(*request.command);
  *type.mutable_id(*made) = request.request_id.empty()
                                ? NewUuid(clock_.Now(), random_)
                                : UuidOfName(request.tenant + '\0' + type.name + '\0' + request.request_id);
  return made;
}

CommandId CommandRouter::IdOf(const CommandRequest& request, const std::string& type) const {
  if (request.request_id.empty()) return {};
  return {.type = type,
          .id = request.request_id,
          .fingerprint = store_.FingerprintOfRequest(type + '\0' + DeterministicBytes(*request.command))};
}

}  // namespace everfold
