#include "tests/bench/bare_rows.h"

#include <filesystem>
#include <map>
#include <memory>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "everfold/projection/sqlite.h"
#include "tests/bench/machine.h"
#include "tests/bench/order_log.h"

namespace everfold::bench {
namespace {

constexpr std::uint64_t kChangesATransaction = 100'000;

constexpr char kTable[] =
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -524288;"
    "CREATE TABLE order_row (order_id TEXT NOT NULL, customer_id TEXT NOT NULL, status TEXT NOT NULL,"
    " total_minor INTEGER NOT NULL, changes INTEGER NOT NULL, PRIMARY KEY (order_id)) STRICT, WITHOUT ROWID";
constexpr char kInsert[] = "INSERT INTO order_row VALUES (?, ?, ?, ?, ?)";
constexpr char kUpsert[] =
    " ON CONFLICT (order_id) DO UPDATE SET customer_id = excluded.customer_id, status = excluded.status,"
    " total_minor = total_minor + excluded.total_minor, changes = changes + 1";

absl::StatusOr<std::unique_ptr<sqlite::Database>> NewDatabase(const std::string& path) {
  std::filesystem::remove(path);
  EVERFOLD_ASSIGN_OR_RETURN(auto database, sqlite::Database::Open(path, sqlite::Access::kReadWrite));
  EVERFOLD_RETURN_IF_ERROR(database->Execute(kTable));
  return database;
}

absl::Status Put(sqlite::Statement& statement, const std::string& order, const std::string& customer,
                 const std::string& status, std::int64_t total, std::int64_t changes) {
  const sqlite::Use use(statement);
  statement.Text(0, order);
  statement.Text(1, customer);
  statement.Text(2, status);
  statement.Integer(3, total);
  statement.Integer(4, changes);
  return statement.Step().status();
}

struct Change {
  std::string order;
  ::bench::v1::OrderChanged event;
};

struct Row {
  std::string customer, status;
  std::int64_t total = 0, changes = 0;
};

std::map<std::string, Row> FoldedRows(std::uint32_t orders, std::uint64_t events) {
  OrderChanges changes(orders, kSeedOfOrders);
  ::bench::v1::OrderChanged event;
  std::map<std::string, Row> rows;
  for (std::uint64_t i = 0; i < events; ++i) {
    Row& row = rows[OrderId(changes.Next(event))];
    row.customer = event.customer_id();
    row.status = event.status();
    row.total += event.amount_minor();
    ++row.changes;
  }
  return rows;
}

}  // namespace

absl::StatusOr<absl::Duration> BareUpserts(const std::string& path, std::uint32_t orders, std::uint64_t events) {
  EVERFOLD_ASSIGN_OR_RETURN(const auto database, NewDatabase(path));
  EVERFOLD_ASSIGN_OR_RETURN(const auto upsert, database->Prepare(std::string(kInsert) + kUpsert));
  OrderChanges changes(orders, kSeedOfOrders);
  std::vector<Change> batch(kChangesATransaction);
  std::int64_t nanos = 0;
  for (std::uint64_t done = 0; done < events;) {
    std::size_t size = 0;
    for (; size < batch.size() && done < events; ++size, ++done) {
      batch[size].order = OrderId(changes.Next(batch[size].event));
    }
    const std::int64_t began = NowNanos();  // making them is not counted
    EVERFOLD_RETURN_IF_ERROR(database->Execute("BEGIN"));
    for (std::size_t i = 0; i < size; ++i) {
      const ::bench::v1::OrderChanged& event = batch[i].event;
      EVERFOLD_RETURN_IF_ERROR(
          Put(*upsert, batch[i].order, event.customer_id(), event.status(), event.amount_minor(), 1));
    }
    EVERFOLD_RETURN_IF_ERROR(database->Execute("COMMIT"));
    nanos += NowNanos() - began;
  }
  return absl::Nanoseconds(nanos);
}

absl::StatusOr<absl::Duration> BareReplayAndLoad(const BareScan& scan, const std::string& path, std::uint32_t orders,
                                                 std::uint64_t events) {
  const std::map<std::string, Row> rows = FoldedRows(orders, events);
  EVERFOLD_ASSIGN_OR_RETURN(const auto database, NewDatabase(path));
  EVERFOLD_ASSIGN_OR_RETURN(const auto insert, database->Prepare(kInsert));
  ::bench::v1::OrderChanged event;
  std::uint64_t parsed = 0;
  const std::int64_t began = NowNanos();
  EVERFOLD_RETURN_IF_ERROR(scan.ForEachPayload([&event, &parsed](std::string_view payload) {
    if (!event.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
      return absl::DataLossError("a payload is no OrderChanged");
    }
    ++parsed;
    return absl::OkStatus();
  }));
  EVERFOLD_RETURN_IF_ERROR(database->Execute("BEGIN"));
  for (const auto& [order, row] : rows) {
    EVERFOLD_RETURN_IF_ERROR(Put(*insert, order, row.customer, row.status, row.total, row.changes));
  }
  EVERFOLD_RETURN_IF_ERROR(database->Execute("COMMIT"));
  if (parsed != events) return absl::InternalError(absl::StrFormat("the log has %d of %d events", parsed, events));
  return absl::Nanoseconds(NowNanos() - began);
}

}  // namespace everfold::bench
