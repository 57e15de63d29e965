#include "everfold/testing/project.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "everfold/base/check.h"
#include "everfold/base/clock.h"
#include "everfold/base/random.h"
#include "everfold/event/partitioning.h"
#include "everfold/projection/read_model_sql.h"
#include "everfold/projection/sqlite.h"
#include "everfold/projection/sqlite_row_store.h"

namespace everfold::testing {

namespace {

// An event that a handler takes.
struct TakenEvent {
  GivenEvent given;
  EventHandler::OfPayload handler = nullptr;
  std::string payload;
  Version version;
  Offset offset;
};

// Tables in memory, and what is folded into them.
struct Folded {
  std::unique_ptr<sqlite::Database> database;
  std::unique_ptr<SqliteRowStore> rows;
};

}  // namespace

struct Projected::State {
  ProjectionType type;
  std::set<std::string> upcasting;  // aggregates whose deciders were given
  Folded folded;
  std::map<StreamId, Version> versions;
  Offset offset;
  std::vector<TakenEvent> taken;
  std::size_t compared = 0;  // of them, in other orders
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

Folded OpenTables(const ProjectionType& type) {
  Folded folded{.database = OpenDatabase(type), .rows = nullptr};
  auto rows = SqliteRowStore::Prepare(*folded.database, type.read_models);
  EVERFOLD_CHECK(rows.ok());
  folded.rows = *std::move(rows);
  return folded;
}

void Fold(const TakenEvent& event, RowStore& rows) {
  static const Metadata kNoMetadata;
  const absl::Time now = ManualClock().Now();
  const EventContext context{.id = event.given.stream.id,
                             .stream = event.given.stream,
                             .version = event.version,
                             .position = {PartitionId(0), event.offset},
                             .sequence = Sequence(event.offset.value()),
                             .event_time = event.given.event_time.value_or(now),
                             .recorded_at = now,
                             .metadata = kNoMetadata};
  event.handler(event.payload, context, rows);
}

std::string ValueText(const ColumnReader& in, const Column& column, int index) {
  if (in.IsNull(index)) return "NULL";
  switch (column.type) {
    case ColumnType::kInteger:
      return absl::StrCat(in.Integer(index));
    case ColumnType::kReal:
      return absl::StrCat(in.Real(index));
    case ColumnType::kText:
      return absl::StrCat("'", std::string(in.Text(index)), "'");
    case ColumnType::kBlob:
      return absl::StrCat("x'", absl::BytesToHexString(std::string(in.Blob(index))), "'");
  }
  return "";
}

// "balance: account = 'a', minor = 3", of all tables.
std::vector<std::string> RowTexts(const ProjectionType& type, RowStore& rows) {
  std::vector<std::string> texts;
  for (const ReadModelSchema* schema : type.read_models) {
    rows.Scan(*schema, [&](const ColumnReader& in) {
      std::vector<std::string> values;
      for (std::size_t i = 0; i < schema->columns.size(); ++i) {
        const Column& column = schema->columns[i];
        values.push_back(absl::StrCat(column.name, " = ", ValueText(in, column, static_cast<int>(i))));
      }
      texts.push_back(absl::StrCat(schema->table, ": ", absl::StrJoin(values, ", ")));
    });
  }
  return texts;
}

// The events of streams that always share a partition, in their order.
using Placed = std::vector<const TakenEvent*>;

std::vector<Placed> ByPlacement(const std::vector<TakenEvent>& events) {
  std::map<std::pair<std::string, std::string>, Placed> by_placement;
  std::vector<std::pair<std::string, std::string>> met;  // first first
  for (const TakenEvent& event : events) {
    std::string placement;
    AppendPlacement(event.given.stream, placement);
    std::pair<std::string, std::string> key(event.given.stream.tenant, std::move(placement));
    Placed& placed = by_placement[key];
    if (placed.empty()) met.push_back(std::move(key));
    placed.push_back(&event);
  }
  std::vector<Placed> all;
  for (const auto& key : met) all.push_back(std::move(by_placement[key]));
  return all;
}

// The last partition first, and others that chance has dealt.
std::vector<Placed> OtherOrders(const std::vector<TakenEvent>& events) {
  constexpr std::uint64_t kDealt = 15;
  const std::vector<Placed> partitions = ByPlacement(events);
  std::vector<Placed> orders(1);
  for (auto placed = partitions.rbegin(); placed != partitions.rend(); ++placed) {
    orders[0].insert(orders[0].end(), placed->begin(), placed->end());
  }
  for (std::uint64_t seed = 1; seed <= kDealt; ++seed) {
    SeededRandom random(seed);
    std::vector<std::size_t> next(partitions.size());
    Placed& order = orders.emplace_back();
    while (order.size() < events.size()) {
      const std::size_t at = random.Below(partitions.size());
      if (next[at] < partitions[at].size()) order.push_back(partitions[at][next[at]++]);
    }
  }
  return orders;
}

std::string LineOf(const TakenEvent& event) {
  return absl::StrCat(event.given.stream.ToString(), " ", TextOf(*event.given.event));
}

// What handles an event, and its payload for it; nullopt if nothing does.
struct Handled {
  EventHandler::OfPayload handler;
  std::string payload;
};

std::optional<Handled> HandledAs(const ProjectionType& type, const google::protobuf::Message& event) {
  const std::string& name = event.GetDescriptor()->full_name();
  std::string payload = event.SerializeAsString();
  if (const auto found = type.handlers.find(name); found != type.handlers.end()) {
    return Handled{found->second.of_payload, std::move(payload)};
  }
  const auto form = type.stored_forms.find(name);
  if (form == type.stored_forms.end()) return std::nullopt;
  std::optional<std::string> upcast = form->second.upcast(payload);
  EVERFOLD_CHECK(upcast.has_value());  // it was made of a message
  return Handled{type.handlers.at(form->second.becomes).of_payload, *std::move(upcast)};
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
  state_->folded = OpenTables(state_->type);
}

Projected::~Projected() = default;
Projected::Projected(Projected&&) noexcept = default;

RowStore& Projected::rows() const { return *state_->folded.rows; }

void Projected::Apply(const std::vector<GivenEvent>& events) {
  SqliteRowStore& rows = *state_->folded.rows;
  for (const GivenEvent& given : events) {
    Version& version = state_->versions[given.stream];
    version = version.Next();
    state_->offset = state_->offset.Next();
    if (given.is_superseded && !state_->upcasting.contains(given.stream.aggregate)) {
      ADD_FAILURE() << TextOf(*given.event) << " is superseded: name the decider of " << given.stream.aggregate
                    << " that upcasts it, Project<Projection, Decider>(...)";
      continue;
    }
    std::optional<Handled> handled = HandledAs(state_->type, *given.event);
    if (!handled.has_value()) continue;
    state_->taken.push_back({.given = given,
                             .handler = handled->handler,
                             .payload = std::move(handled->payload),
                             .version = version,
                             .offset = state_->offset});
    Fold(state_->taken.back(), rows);
    if (const absl::Status status = rows.status(); !status.ok()) {
      ADD_FAILURE() << "On " << TextOf(*given.event) << ": " << status;
      rows.BeginTransaction();
    }
  }
}

// Once for the same events; the first order that comes to something else is told.
void Projected::CompareOrders() const {
  if (state_->type.order != ProjectionOrder::kPerPartition || state_->compared == state_->taken.size()) return;
  state_->compared = state_->taken.size();
  const std::vector<std::string> expected = RowTexts(state_->type, rows());
  for (const Placed& order : OtherOrders(state_->taken)) {
    const Folded folded = OpenTables(state_->type);
    std::vector<std::string> lines;
    for (const TakenEvent* event : order) {
      Fold(*event, *folded.rows);
      lines.push_back(LineOf(*event));
    }
    const absl::Status status = folded.rows->status();
    const std::vector<std::string> actual = RowTexts(state_->type, *folded.rows);
    if (status.ok() && actual == expected) continue;
    ADD_FAILURE() << state_->type.name
                  << " is kPerPartition, and its rows depend on the order of partitions\nas given:\n"
                  << Lines(expected) << "\nin another order:\n"
                  << (status.ok() ? Lines(actual) : "  " + status.ToString()) << "\nwhich was:\n"
                  << Lines(lines);
    return;
  }
}

void Projected::CompareRows(const std::string& read_model, std::vector<std::string> expected,
                            const std::vector<std::string>& actual) const {
  CompareOrders();
  if (expected == actual) return;
  ADD_FAILURE() << read_model << "\nexpected:\n" << Lines(expected) << "\nactual:\n" << Lines(actual);
}

}  // namespace everfold::testing
