#include "everfold/testing/project.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "absl/strings/str_join.h"
#include "everfold/base/check.h"
#include "everfold/base/clock.h"
#include "everfold/projection/read_model_sql.h"
#include "everfold/projection/sqlite.h"
#include "everfold/projection/sqlite_row_store.h"

namespace everfold::testing {

struct Projected::State {
  ProjectionType type;
  std::set<std::string> upcasting;  // aggregates whose deciders were given
  std::unique_ptr<sqlite::Database> database;
  std::unique_ptr<SqliteRowStore> rows;
  std::map<StreamId, Version> versions;
  Offset offset;
};

namespace {

// In memory, with the tables of the projection. A database that cannot even be created is no matter of the test.
std::unique_ptr<sqlite::Database> OpenDatabase(const ProjectionType& type) {
  auto database = sqlite::Database::Open(":memory:", sqlite::Access::kReadWrite);
  EVERFOLD_CHECK(database.ok());
  for (const ReadModelSchema* schema : type.read_models) {
    const absl::Status created = (*database)->Execute(CreateTableSql(*schema));
    if (!created.ok()) ADD_FAILURE() << schema->message << ": " << created;
  }
  return *std::move(database);
}

// What handles an event, and its payload for it; nullopt if nothing does.
struct Handled {
  ProjectionType::Handler handler;
  std::string payload;
};

std::optional<Handled> HandledAs(const ProjectionType& type, const google::protobuf::Message& event) {
  const std::string& name = event.GetDescriptor()->full_name();
  std::string payload = event.SerializeAsString();
  if (const auto found = type.handlers.find(name); found != type.handlers.end()) {
    return Handled{found->second, std::move(payload)};
  }
  const auto form = type.stored_forms.find(name);
  if (form == type.stored_forms.end()) return std::nullopt;
  std::optional<std::string> upcast = form->second.upcast(payload);
  EVERFOLD_CHECK(upcast.has_value());  // it was made of a message
  return Handled{type.handlers.at(form->second.becomes), *std::move(upcast)};
}

std::string Lines(const std::vector<std::string>& rows) {
  return rows.empty() ? "  no rows" : "  " + absl::StrJoin(rows, "\n  ");
}

}  // namespace

Projected::Projected(ProjectionType type, const std::vector<AggregateType>& deciders)
    : state_(std::make_unique<State>()) {
  state_->type = std::move(type);
  for (const AggregateType& aggregate : deciders) {
    state_->type.AddStoredForms(aggregate);
    state_->upcasting.insert(aggregate.name);
  }
  state_->database = OpenDatabase(state_->type);
  auto rows = SqliteRowStore::Prepare(*state_->database, state_->type.read_models);
  EVERFOLD_CHECK(rows.ok());
  state_->rows = *std::move(rows);
}

Projected::~Projected() = default;
Projected::Projected(Projected&&) noexcept = default;

RowStore& Projected::rows() const { return *state_->rows; }

void Projected::Apply(const std::vector<GivenEvent>& events) {
  static const Metadata kNoMetadata;
  const absl::Time now = ManualClock().Now();
  for (const GivenEvent& given : events) {
    Version& version = state_->versions[given.stream];
    version = version.Next();
    state_->offset = state_->offset.Next();
    if (given.is_superseded && !state_->upcasting.contains(given.stream.aggregate)) {
      ADD_FAILURE() << TextOf(*given.event) << " is superseded: name the decider of " << given.stream.aggregate
                    << " that upcasts it, Project<Projection, Decider>(...)";
      continue;
    }
    const std::optional<Handled> handled = HandledAs(state_->type, *given.event);
    if (!handled.has_value()) continue;
    const EventContext context{.id = given.stream.id,
                               .stream = given.stream,
                               .version = version,
                               .position = {PartitionId(0), state_->offset},
                               .sequence = Sequence(state_->offset.value()),
                               .event_time = given.event_time.value_or(now),
                               .recorded_at = now,
                               .metadata = kNoMetadata};
    handled->handler(handled->payload, context, *state_->rows);
    if (const absl::Status status = state_->rows->status(); !status.ok()) {
      ADD_FAILURE() << "On " << TextOf(*given.event) << ": " << status;
      state_->rows->BeginTransaction();
    }
  }
}

void Projected::CompareRows(const std::string& read_model, std::vector<std::string> expected,
                            const std::vector<std::string>& actual) const {
  if (expected == actual) return;
  ADD_FAILURE() << read_model << "\nexpected:\n" << Lines(expected) << "\nactual:\n" << Lines(actual);
}

}  // namespace everfold::testing
