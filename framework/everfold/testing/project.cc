#include "everfold/testing/project.h"

#include <gtest/gtest.h>

#include <map>

#include "absl/strings/str_join.h"
#include "everfold/base/check.h"
#include "everfold/base/clock.h"
#include "everfold/projection/read_model_sql.h"
#include "everfold/projection/sqlite.h"
#include "everfold/projection/sqlite_row_store.h"

namespace everfold::testing {

struct Projected::State {
  ProjectionType type;
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

std::string Lines(const std::vector<std::string>& rows) {
  return rows.empty() ? "  no rows" : "  " + absl::StrJoin(rows, "\n  ");
}

}  // namespace

Projected::Projected(ProjectionType type) : state_(std::make_unique<State>()) {
  state_->type = std::move(type);
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
    const auto handler = state_->type.handlers.find(given.event->GetDescriptor()->full_name());
    if (handler == state_->type.handlers.end()) continue;
    const EventContext context{.id = given.stream.id,
                               .stream = given.stream,
                               .version = version,
                               .position = {PartitionId(0), state_->offset},
                               .sequence = Sequence(state_->offset.value()),
                               .event_time = given.event_time.value_or(now),
                               .recorded_at = now,
                               .metadata = kNoMetadata};
    handler->second(given.event->SerializeAsString(), context, *state_->rows);
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
