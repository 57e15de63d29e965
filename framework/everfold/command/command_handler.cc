#include "everfold/command/command_handler.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/command/command_lane.h"
#include "everfold/event/partitioning.h"
#include "everfold/v1/options.pb.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace everfold {
namespace {

using google::protobuf::Message;

// Equal messages give equal bytes, also with maps.
std::string DeterministicBytes(const Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializePartialToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

// Name of the field that is marked as the id; the generator has seen to it that there is one.
std::string IdFieldOf(const google::protobuf::Descriptor& command) {
  for (int i = 0; i < command.field_count(); ++i) {
    if (command.field(i)->options().GetExtension(v1::field).id()) return command.field(i)->name();
  }
  return "";
}

// What is wrong with an id is told like any other broken field rule.
absl::Status ValidateId(const CommandRequest& request, const StreamId& stream) {
  const absl::Status status = ValidateStreamId(stream);
  if (status.ok()) return status;
  const google::protobuf::Descriptor& command = *request.command->GetDescriptor();
  Violations violations;
  violations.Add(IdFieldOf(command), "id", std::string(status.message()));
  return violations.ToStatus(command.full_name(), request.field_path);
}

class LaneCommandHandler final : public CommandHandler {
 public:
  LaneCommandHandler(CommandHandlerOptions options, std::vector<AggregateType> aggregates, EventStore& store,
                     Executor& executor, const Clock& clock, RandomSource& random)
      : options_(options), aggregates_(std::move(aggregates)), store_(store), executor_(executor), clock_(clock) {
    const std::uint32_t partitions = store.log().identity().partitions;
    const LaneContext context{options_, store, executor, clock, random};
    for (std::uint32_t i = 0; i < partitions; ++i) {
      lanes_.push_back(std::make_unique<CommandLane>(context, options_.max_cached_bytes / partitions));
    }
    for (const AggregateType& aggregate : aggregates_) {
      for (const auto& [name, type] : aggregate.commands) {
        EVERFOLD_CHECK(routes_.emplace(name, Route{&aggregate, &type}).second);
      }
    }
  }

  void Handle(CommandRequest request, Done done) override {
    std::optional<TaskScope::Guard> guard = scope_.Enter();
    if (!guard.has_value()) return Refuse(std::move(done), ShuttingDown());
    absl::StatusOr<std::unique_ptr<RoutedCommand>> routed = RouteRequest(std::move(request), *std::move(guard));
    if (!routed.ok()) return Refuse(std::move(done), routed.status());
    (*routed)->done = std::move(done);
    const PartitionId partition = PartitionOf((*routed)->stream, static_cast<std::uint32_t>(lanes_.size()));
    lanes_[partition.value()]->Post(*std::move(routed));
  }

  void Close(Task done) override { scope_.Close(std::move(done)); }

 private:
  struct Route {
    const AggregateType* aggregate;
    const CommandType* type;
  };

  static absl::Status ShuttingDown() {
    return Error(absl::StatusCode::kUnavailable, reason::kShuttingDown, "no new commands are taken: shutting down");
  }

  // Everything that can be said about a command without its stream.
  absl::StatusOr<std::unique_ptr<RoutedCommand>> RouteRequest(CommandRequest request, TaskScope::Guard guard) const {
    EVERFOLD_CHECK(request.command != nullptr);
    const std::string& name = request.command->GetDescriptor()->full_name();
    const auto route = routes_.find(name);
    if (route == routes_.end()) {
      return Error(absl::StatusCode::kUnimplemented, reason::kRequestInvalid,
                   absl::StrFormat("no aggregate of this application takes %s", name));
    }
    const CommandType& type = *route->second.type;
    Violations violations;
    type.validate(*request.command, clock_.Now(), violations);
    EVERFOLD_RETURN_IF_ERROR(violations.ToStatus(name, request.field_path));
    StreamId stream{request.tenant, route->second.aggregate->name, type.id(*request.command)};
    EVERFOLD_RETURN_IF_ERROR(ValidateId(request, stream));
    if (!request.request_id.empty()) {
      EVERFOLD_RETURN_IF_ERROR(ValidateName(request.request_id, kMaxCommandIdBytes, "request_id"));
    }
    CommandId id = IdOf(request, name);
    return std::unique_ptr<RoutedCommand>(new RoutedCommand{.request = std::move(request),
                                                            .done = nullptr,
                                                            .aggregate = route->second.aggregate,
                                                            .type = &type,
                                                            .stream = std::move(stream),
                                                            .id = std::move(id),
                                                            .guard = std::move(guard)});
  }

  CommandId IdOf(const CommandRequest& request, const std::string& name) const {
    if (request.request_id.empty()) return {};
    return {.type = name,
            .id = request.request_id,
            .fingerprint = store_.FingerprintOfRequest(name + '\0' + DeterministicBytes(*request.command))};
  }

  void Refuse(Done done, absl::Status why) {
    executor_.Post([done = std::move(done), why = std::move(why)]() mutable { done(std::move(why)); });
  }

  const CommandHandlerOptions options_;
  const std::vector<AggregateType> aggregates_;
  EventStore& store_;
  Executor& executor_;
  const Clock& clock_;
  absl::flat_hash_map<std::string, Route> routes_;   // by the command's full message name
  std::vector<std::unique_ptr<CommandLane>> lanes_;  // one a partition
  TaskScope scope_;
};

}  // namespace

std::unique_ptr<CommandHandler> CommandHandler::Create(CommandHandlerOptions options,
                                                       std::vector<AggregateType> aggregates, EventStore& store,
                                                       Executor& executor, const Clock& clock, RandomSource& random) {
  return std::make_unique<LaneCommandHandler>(options, std::move(aggregates), store, executor, clock, random);
}

}  // namespace everfold
