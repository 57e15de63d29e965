// A domain for the tests of app/, made by hand from protobuf's well-known types: a tally per id, which counts how often
// its command was sent, and a projection of the counts.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "everfold/app/parts.h"
#include "everfold/store/event_store.h"
#include "google/protobuf/empty.pb.h"
#include "google/protobuf/wrappers.pb.h"

namespace everfold {

using Tally = google::protobuf::Int64Value;   // the state
using Count = google::protobuf::StringValue;  // the command: the tally's id
using Counted = google::protobuf::Empty;      // the event

inline constexpr char kCount[] = "google.protobuf.StringValue";
inline constexpr char kCounted[] = "google.protobuf.Empty";

inline AggregateType TallyAggregate() {
  using Message = google::protobuf::Message;
  AggregateType type;
  type.name = "tally";
  type.initial_state = &Tally::default_instance();
  CommandType& count = type.commands[kCount];
  count.name = kCount;
  count.id = [](const Message& command) -> const std::string& { return static_cast<const Count&>(command).value(); };
  count.validate = [](const Message&, absl::Time, Violations&) {};
  count.decide = [](const Message&, const Message&, Context&) {
    AnyDecision decision;
    decision.events.push_back(std::make_unique<Counted>());
    return decision;
  };
  AggregateEvent& counted = type.events[kCounted];
  counted.name = kCounted;
  counted.evolve = [](Message& state, const Message&) {
    static_cast<Tally&>(state).set_value(static_cast<Tally&>(state).value() + 1);
  };
  counted.evolve_payload = [](Message& state, std::string_view) {
    static_cast<Tally&>(state).set_value(static_cast<Tally&>(state).value() + 1);
    return true;
  };
  counted.event_time = [](const Message&) { return std::optional<absl::Time>(); };
  return type;
}

inline const ReadModelSchema& TallySchema() {
  static const ReadModelSchema schema{
      .message = "tally.v1.TallyCount",
      .table = "tally_count",
      .columns = {{"id", ColumnType::kText, false}, {"count", ColumnType::kInteger, false}},
      .key = {0}};
  return schema;
}

inline ProjectionType TallyProjection(const std::string& name = "tallies") {
  ProjectionType type;
  type.name = name;
  type.read_models = {&TallySchema()};
  type.handlers[kCounted] = {[](std::string_view, const EventContext& context, RowStore& rows) {
    std::int64_t count = 0;
    rows.Get(
        TallySchema(), [&](ColumnWriter& key) { key.Text(0, context.id); },
        [&count](const ColumnReader& row) { count = row.Integer(1); });
    rows.Upsert(TallySchema(), [&](ColumnWriter& row) {
      row.Text(0, context.id);
      row.Integer(1, count + 1);
    });
    return true;
  }};
  return type;
}

using TallyReaction = std::function<absl::Status(const Reaction&)>;

inline ReactorType TallyReactor(TallyReaction react) {
  ReactorType type;
  type.name = "echo";
  type.start = ReactorStart::kBeginning;
  type.make = [react](const ReactorSetup&) { return std::make_shared<TallyReaction>(react); };
  type.handlers[kCounted] = [](void* reactor, std::string_view, const Reaction& reaction) {
    return (*static_cast<TallyReaction*>(reactor))(reaction);
  };
  return type;
}

inline Parts TallyParts() { return {.aggregates = {TallyAggregate()}, .projections = {TallyProjection()}}; }

inline Count CountOf(const std::string& id) {
  Count command;
  command.set_value(id);
  return command;
}

// An append to the store itself, without a command.
inline AppendRequest CountedAppend(const std::string& id, std::size_t events = 1) {
  NewEvent event;
  event.type = kCounted;
  AppendRequest request;
  request.streams.push_back({.stream = {.tenant = "", .aggregate = "tally", .id = id},
                             .expectation = StreamExpectation::Any(),
                             .events = std::vector<NewEvent>(events, event)});
  return request;
}

}  // namespace everfold
