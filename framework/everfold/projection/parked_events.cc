#include "everfold/projection/parked_events.h"

#include "everfold/base/status.h"
#include "everfold/event/event_key.h"

namespace everfold {
namespace {

std::uint64_t Unsigned(const sqlite::Statement& row, int index) {
  return static_cast<std::uint64_t>(row.Integer(index));
}

constexpr char kSelectKeys[] =
    "SELECT \"key\", parked_at, attempts, error,"
    " (SELECT count(*) FROM everfold_parked_event e WHERE e.\"key\" = k.\"key\") FROM everfold_parked_key k";

ParkedKey ReadKey(const sqlite::Statement& row) {
  return {.key = std::string(row.Text(0)),
          .parked_at = absl::FromUnixMicros(row.Integer(1)),
          .attempts = Unsigned(row, 2),
          .error = std::string(row.Text(3)),
          .events = Unsigned(row, 4)};
}

ParkedEvent ReadEvent(const sqlite::Statement& row) {
  return {.position = {PartitionId(static_cast<std::uint32_t>(row.Integer(0))), Offset(Unsigned(row, 1))},
          .sequence = Sequence(Unsigned(row, 2)),
          .key = std::string(row.Text(3)),
          .type = std::string(row.Text(4)),
          .stream = {.tenant = std::string(row.Text(5)),
                     .aggregate = std::string(row.Text(6)),
                     .id = std::string(row.Text(7))},
          .version = Version(Unsigned(row, 8)),
          .tally = {.count = 1, .low = Unsigned(row, 9), .high = Unsigned(row, 10)}};
}

}  // namespace

const char* ParkedEvents::CreateTablesSql() {
  return "CREATE TABLE everfold_parked_key (\"key\" TEXT PRIMARY KEY, parked_at INTEGER NOT NULL,"
         " attempts INTEGER NOT NULL, error TEXT NOT NULL) STRICT, WITHOUT ROWID;"
         "CREATE TABLE everfold_parked_event (\"partition\" INTEGER NOT NULL, \"offset\" INTEGER NOT NULL,"
         " sequence INTEGER NOT NULL, \"key\" TEXT NOT NULL, type TEXT NOT NULL, tenant TEXT NOT NULL,"
         " aggregate TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, digest_low INTEGER NOT NULL,"
         " digest_high INTEGER NOT NULL,"
         " PRIMARY KEY (\"partition\", \"offset\")) STRICT, WITHOUT ROWID;"
         "CREATE INDEX everfold_parked_event_by_stream ON everfold_parked_event (id, version);"
         "CREATE INDEX everfold_parked_event_by_key ON everfold_parked_event (\"key\", sequence, \"partition\","
         " \"offset\");";
}

absl::StatusOr<std::unique_ptr<ParkedEvents>> ParkedEvents::Prepare(sqlite::Database& database) {
  std::unique_ptr<ParkedEvents> parked(new ParkedEvents());
  EVERFOLD_ASSIGN_OR_RETURN(parked->add_key_, database.Prepare("INSERT INTO everfold_parked_key VALUES (?, ?, 1, ?)"));
  EVERFOLD_ASSIGN_OR_RETURN(
      parked->add_event_,
      database.Prepare("INSERT INTO everfold_parked_event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  EVERFOLD_ASSIGN_OR_RETURN(parked->fail_again_,
                            database.Prepare("UPDATE everfold_parked_key SET attempts = attempts + 1,"
                                             " error = ? WHERE \"key\" = ?"));
  EVERFOLD_ASSIGN_OR_RETURN(
      parked->remove_event_,
      database.Prepare("DELETE FROM everfold_parked_event WHERE \"partition\" = ? AND \"offset\" = ?"));
  EVERFOLD_ASSIGN_OR_RETURN(parked->remove_key_, database.Prepare("DELETE FROM everfold_parked_key WHERE \"key\" = ?"));
  EVERFOLD_ASSIGN_OR_RETURN(parked->keys_, database.Prepare(std::string(kSelectKeys) + " ORDER BY \"key\""));
  EVERFOLD_ASSIGN_OR_RETURN(parked->find_key_, database.Prepare(std::string(kSelectKeys) + " WHERE \"key\" = ?"));
  EVERFOLD_ASSIGN_OR_RETURN(
      parked->find_,
      database.Prepare("SELECT * FROM everfold_parked_event WHERE tenant = ? AND aggregate = ? AND id = ?"
                       " AND version = ?"));
  EVERFOLD_ASSIGN_OR_RETURN(parked->events_,
                            database.Prepare("SELECT * FROM everfold_parked_event WHERE \"key\" = ? ORDER BY sequence,"
                                             " \"partition\", \"offset\" LIMIT ?"));
  return parked;
}

absl::Status ParkedEvents::AddKey(const std::string& key, absl::Time parked_at, const std::string& error) {
  const sqlite::Use use(*add_key_);
  add_key_->Text(0, key);
  add_key_->Integer(1, absl::ToUnixMicros(parked_at));
  add_key_->Text(2, PrintableText(error, kMaxErrorBytes));
  return add_key_->Step().status();
}

absl::Status ParkedEvents::AddEvent(const std::string& key, const RecordedEvent& event, const EventTally& tally) {
  const StreamId& stream = event.stream.stream;
  const sqlite::Use use(*add_event_);
  add_event_->Integer(0, event.position.partition.value());
  add_event_->Integer(1, static_cast<std::int64_t>(event.position.offset.value()));
  add_event_->Integer(2, static_cast<std::int64_t>(event.commit.sequence.value()));
  add_event_->Text(3, key);
  add_event_->Text(4, event.event.type);
  add_event_->Text(5, stream.tenant);
  add_event_->Text(6, stream.aggregate);
  add_event_->Text(7, stream.id);
  add_event_->Integer(8, static_cast<std::int64_t>(event.version.value()));
  add_event_->Integer(9, static_cast<std::int64_t>(tally.low));
  add_event_->Integer(10, static_cast<std::int64_t>(tally.high));
  return add_event_->Step().status();
}

absl::Status ParkedEvents::FailAgain(const std::string& key, const std::string& error) {
  const sqlite::Use use(*fail_again_);
  fail_again_->Text(0, PrintableText(error, kMaxErrorBytes));
  fail_again_->Text(1, key);
  return fail_again_->Step().status();
}

absl::Status ParkedEvents::RemoveEvent(const Position& position) {
  const sqlite::Use use(*remove_event_);
  remove_event_->Integer(0, position.partition.value());
  remove_event_->Integer(1, static_cast<std::int64_t>(position.offset.value()));
  return remove_event_->Step().status();
}

absl::Status ParkedEvents::RemoveKey(const std::string& key) {
  const sqlite::Use use(*remove_key_);
  remove_key_->Text(0, key);
  return remove_key_->Step().status();
}

absl::StatusOr<std::vector<ParkedKey>> ParkedEvents::Keys() {
  const sqlite::Use use(*keys_);
  std::vector<ParkedKey> keys;
  while (true) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, keys_->Step());
    if (!found) return keys;
    keys.push_back(ReadKey(*keys_));
  }
}

absl::StatusOr<std::optional<ParkedKey>> ParkedEvents::FindKey(const std::string& key) {
  const sqlite::Use use(*find_key_);
  find_key_->Text(0, key);
  EVERFOLD_ASSIGN_OR_RETURN(const bool found, find_key_->Step());
  if (!found) return std::nullopt;
  return ReadKey(*find_key_);
}

absl::StatusOr<std::optional<ParkedEvent>> ParkedEvents::Find(const StreamId& stream, Version version) {
  const sqlite::Use use(*find_);
  find_->Text(0, stream.tenant);
  find_->Text(1, stream.aggregate);
  find_->Text(2, stream.id);
  find_->Integer(3, static_cast<std::int64_t>(version.value()));
  EVERFOLD_ASSIGN_OR_RETURN(const bool found, find_->Step());
  if (!found) return std::nullopt;
  return ReadEvent(*find_);
}

absl::StatusOr<std::vector<ParkedEvent>> ParkedEvents::EventsOf(const std::string& key, std::size_t limit) {
  const sqlite::Use use(*events_);
  events_->Text(0, key);
  events_->Integer(1, static_cast<std::int64_t>(limit));
  std::vector<ParkedEvent> events;
  while (true) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, events_->Step());
    if (!found) return events;
    events.push_back(ReadEvent(*events_));
  }
}

}  // namespace everfold
