#include "everfold/process/process_directory.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/base/timestamp.h"
#include "everfold/event/event_key.h"
#include "everfold/log/files/files.h"

namespace everfold {
namespace {

constexpr int kFormatVersion = 1;

constexpr char kTables[] =
    "CREATE TABLE everfold_directory (id INTEGER PRIMARY KEY CHECK (id = 1), format_version INTEGER NOT NULL,"
    " epoch BLOB NOT NULL, process TEXT NOT NULL) STRICT;"
    "CREATE TABLE checkpoint (\"partition\" INTEGER PRIMARY KEY, \"offset\" INTEGER NOT NULL) STRICT;"
    "CREATE TABLE instance (key TEXT PRIMARY KEY, version INTEGER NOT NULL, in_flight INTEGER NOT NULL,"
    " timers INTEGER NOT NULL, recorded_micros INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX instance_in_flight ON instance (key) WHERE in_flight > 0;"
    "CREATE TABLE timer (instance TEXT NOT NULL, name TEXT NOT NULL, due_micros INTEGER NOT NULL,"
    " version INTEGER NOT NULL, PRIMARY KEY (instance, name)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX timer_due ON timer (due_micros, instance, name);"
    "CREATE TABLE activity (key TEXT PRIMARY KEY, instance TEXT NOT NULL, version INTEGER NOT NULL,"
    " \"index\" INTEGER NOT NULL, ended_micros INTEGER, answer_id TEXT) STRICT, WITHOUT ROWID;"
    "CREATE UNIQUE INDEX activity_step ON activity (instance, version, \"index\");"
    "CREATE INDEX activity_ended ON activity (ended_micros) WHERE ended_micros IS NOT NULL;";

constexpr char kSettings[] =
    "PRAGMA synchronous = NORMAL; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 16384;"
    "PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;";

absl::Status Run(sqlite::Statement& statement) {
  const sqlite::Use use(statement);
  return statement.Step().status();
}

std::int64_t SignedOf(std::uint64_t value) { return static_cast<std::int64_t>(value); }
std::uint64_t UnsignedOf(std::int64_t value) { return static_cast<std::uint64_t>(value); }

// Another file in its place is as good.
bool MayBeMadeAnew(const absl::Status& error) { return absl::IsDataLoss(error) || absl::IsFailedPrecondition(error); }

absl::Status DoesNotFit(const std::string& what) {
  return Error(absl::StatusCode::kFailedPrecondition, reason::kFormatUnknown, what);
}

}  // namespace

absl::Status ProcessDirectory::Remove(const std::string& path) {
  for (const char* const end : {"", "-wal", "-shm"}) {
    if (PosixFiles().Exists(path + end)) EVERFOLD_RETURN_IF_ERROR(PosixFiles().Remove(path + end));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<ProcessDirectory>> ProcessDirectory::Open(const std::string& path,
                                                                         const ProcessType& type,
                                                                         const Checkpoint& beginning,
                                                                         std::string* why) {
  std::unique_ptr<ProcessDirectory> directory(new ProcessDirectory(type, beginning));
  absl::Status opened = directory->OpenDatabase(path);
  if (MayBeMadeAnew(opened)) {
    *why = std::string(opened.message());
    directory.reset(new ProcessDirectory(type, beginning));
    EVERFOLD_RETURN_IF_ERROR(Remove(path));
    opened = directory->OpenDatabase(path);
  }
  EVERFOLD_RETURN_IF_ERROR(opened);
  return directory;
}

absl::Status ProcessDirectory::OpenDatabase(const std::string& path) {
  EVERFOLD_ASSIGN_OR_RETURN(database_, sqlite::Database::Open(path, sqlite::Access::kReadWrite));
  EVERFOLD_ASSIGN_OR_RETURN(const auto tables, database_->Prepare("SELECT count(*) FROM sqlite_schema"));
  EVERFOLD_RETURN_IF_ERROR(tables->Step().status());
  const bool is_new = tables->Integer(0) == 0;
  tables->Reset();
  if (!is_new) EVERFOLD_RETURN_IF_ERROR(Inspect());
  EVERFOLD_RETURN_IF_ERROR(database_->Execute(kSettings));
  if (is_new) EVERFOLD_RETURN_IF_ERROR(CreateTables());
  EVERFOLD_RETURN_IF_ERROR(LoadCheckpoint());
  EVERFOLD_RETURN_IF_ERROR(PrepareStatements());
  return Count();
}

absl::Status ProcessDirectory::Inspect() {
  EVERFOLD_ASSIGN_OR_RETURN(const auto tables,
                            database_->Prepare("SELECT 1 FROM sqlite_schema WHERE name = 'everfold_directory'"));
  EVERFOLD_ASSIGN_OR_RETURN(const bool is_ours, tables->Step());
  if (!is_ours) return DoesNotFit("it is not the directory of a process");
  EVERFOLD_ASSIGN_OR_RETURN(const auto meta,
                            database_->Prepare("SELECT format_version, epoch, process FROM everfold_directory"));
  EVERFOLD_ASSIGN_OR_RETURN(const bool written, meta->Step());
  if (!written || meta->Integer(0) != kFormatVersion) return DoesNotFit("it has another format");
  if (meta->Blob(1) != checkpoint_.epoch.bytes) return DoesNotFit("it is of another history of the store");
  if (meta->Text(2) != type_.name) return DoesNotFit("it is of another process");
  return absl::OkStatus();
}

absl::Status ProcessDirectory::CreateTables() {
  EVERFOLD_RETURN_IF_ERROR(database_->Execute("BEGIN"));
  EVERFOLD_RETURN_IF_ERROR(database_->Execute(kTables));
  EVERFOLD_ASSIGN_OR_RETURN(const auto meta, database_->Prepare("INSERT INTO everfold_directory VALUES (1, ?, ?, ?)"));
  meta->Integer(0, kFormatVersion);
  meta->Blob(1, checkpoint_.epoch.bytes);
  meta->Text(2, type_.name);
  EVERFOLD_RETURN_IF_ERROR(Run(*meta));
  return database_->Execute("COMMIT");
}

absl::Status ProcessDirectory::LoadCheckpoint() {
  EVERFOLD_ASSIGN_OR_RETURN(const auto select, database_->Prepare("SELECT \"partition\", \"offset\" FROM checkpoint"));
  while (true) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, select->Step());
    if (!found) return absl::OkStatus();
    const auto partition = static_cast<std::size_t>(select->Integer(0));
    if (partition >= checkpoint_.offsets.size()) return DoesNotFit("it is of a store with other partitions");
    checkpoint_.offsets[partition] = Offset(UnsignedOf(select->Integer(1)));
  }
}

absl::Status ProcessDirectory::PrepareStatements() {
  const auto prepare = [this](std::unique_ptr<sqlite::Statement>& statement, const char* sql) -> absl::Status {
    EVERFOLD_ASSIGN_OR_RETURN(statement, database_->Prepare(sql));
    return absl::OkStatus();
  };
  const std::pair<std::unique_ptr<sqlite::Statement>*, const char*> all[] = {
      {&begin_, "BEGIN IMMEDIATE"},
      {&commit_, "COMMIT"},
      {&write_partition_, "INSERT OR REPLACE INTO checkpoint VALUES (?, ?)"},
      {&find_, "SELECT key, version, in_flight, timers, recorded_micros FROM instance WHERE key = ?"},
      {&put_, "INSERT OR REPLACE INTO instance VALUES (?, ?, ?, ?, ?)"},
      {&remove_, "DELETE FROM instance WHERE key = ?"},
      {&put_timer_, "INSERT OR REPLACE INTO timer VALUES (?, ?, ?, ?)"},
      {&remove_timers_, "DELETE FROM timer WHERE instance = ?"},
      {&put_activity_, "INSERT OR REPLACE INTO activity VALUES (?, ?, ?, ?, ?, ?)"},
      {&end_activity_,
       "UPDATE activity SET ended_micros = ?, answer_id = ? WHERE instance = ? AND version = ? AND \"index\" = ?"},
      {&forget_activities_, "DELETE FROM activity WHERE ended_micros < ?"},
      {&timers_after_,
       "SELECT due_micros, instance, name, version FROM timer WHERE (due_micros, instance, name) > (?, ?, ?)"
       " AND due_micros <= ? ORDER BY due_micros, instance, name LIMIT ?"},
      {&instances_after_,
       "SELECT key, version, in_flight, timers, recorded_micros FROM instance WHERE key > ? ORDER BY key LIMIT ?"},
      {&in_flight_after_,
       "SELECT key, version, in_flight, timers, recorded_micros FROM instance WHERE key > ? AND in_flight > 0"
       " ORDER BY key LIMIT ?"},
      {&find_activity_, "SELECT instance, version, \"index\", ended_micros, answer_id FROM activity WHERE key = ?"}};
  for (const auto& [statement, sql] : all) EVERFOLD_RETURN_IF_ERROR(prepare(*statement, sql));
  return absl::OkStatus();
}

absl::Status ProcessDirectory::Count() {
  EVERFOLD_ASSIGN_OR_RETURN(
      const auto select,
      database_->Prepare("SELECT count(*), coalesce(sum(in_flight), 0), coalesce(sum(timers), 0) FROM instance"));
  EVERFOLD_RETURN_IF_ERROR(select->Step().status());
  counts_ = committed_ = {.instances = UnsignedOf(select->Integer(0)),
                          .in_flight = UnsignedOf(select->Integer(1)),
                          .timers = UnsignedOf(select->Integer(2))};
  return absl::OkStatus();
}

absl::Status ProcessDirectory::Commit(const Checkpoint& checkpoint) {
  EVERFOLD_RETURN_IF_ERROR(Run(*begin_));
  EVERFOLD_RETURN_IF_ERROR(WriteFolded());
  EVERFOLD_RETURN_IF_ERROR(WriteCheckpoint(checkpoint));
  EVERFOLD_RETURN_IF_ERROR(Run(*commit_));
  checkpoint_ = checkpoint;
  committed_ = counts_;
  return absl::OkStatus();
}

absl::Status ProcessDirectory::WriteCheckpoint(const Checkpoint& checkpoint) {
  for (std::size_t i = 0; i < checkpoint.offsets.size(); ++i) {
    if (checkpoint.offsets[i] == checkpoint_.offsets[i]) continue;
    const sqlite::Use use(*write_partition_);
    write_partition_->Integer(0, SignedOf(i));
    write_partition_->Integer(1, SignedOf(checkpoint.offsets[i].value()));
    EVERFOLD_RETURN_IF_ERROR(write_partition_->Step().status());
  }
  return absl::OkStatus();
}

void ProcessDirectory::Rollback() {
  counts_ = committed_;
  folded_ = {};
  // SQLite rolls back at the next opening what it cannot roll back here.
  if (database_->in_transaction()) database_->Execute("ROLLBACK").IgnoreError();
}

absl::StatusOr<std::optional<OpenInstance>> ProcessDirectory::Find(const std::string& key) {
  const sqlite::Use use(*find_);
  find_->Text(0, key);
  EVERFOLD_ASSIGN_OR_RETURN(const bool found, find_->Step());
  if (!found) return std::nullopt;
  return OpenInstance{.key = key,
                      .version = Version(UnsignedOf(find_->Integer(1))),
                      .in_flight = static_cast<std::uint32_t>(find_->Integer(2)),
                      .timers = static_cast<std::uint32_t>(find_->Integer(3)),
                      .recorded_at = absl::FromUnixMicros(find_->Integer(4))};
}

absl::Status ProcessDirectory::Apply(const StreamId& stream, Version version, const v1::ProcessStep& step,
                                     absl::Time recorded_at) {
  std::string key = KeyOfStream(stream);
  const auto [at, is_first] = folded_.instances.try_emplace(key);
  FoldedInstance& folded = at->second;
  if (is_first) {
    EVERFOLD_ASSIGN_OR_RETURN(folded.was, Find(key));
    if (folded.was.has_value()) folded.now.version = folded.was->version;
  }
  if (version <= folded.now.version) return absl::OkStatus();
  const std::uint32_t in_flight =
      static_cast<std::uint32_t>(step.open().commands_size() + step.open().activities_size());
  folded.changed = true;
  folded.is_over = step.done() && in_flight == 0;
  folded.now = {.key = "",
                .version = version,
                .in_flight = in_flight,
                .timers = static_cast<std::uint32_t>(step.open().timers_size()),
                .recorded_at = recorded_at};
  folded.timers.clear();
  for (const v1::ProcessTimer& timer : step.open().timers()) {
    folded.timers.push_back(
        {.name = timer.name(), .due_micros = absl::ToUnixMicros(TimeOf(timer.due_time())), .version = timer.version()});
  }
  for (int i = 0; i < step.activities_size(); ++i) {
    const OutgoingRef ref{version, static_cast<std::uint32_t>(i)};
    folded_.started.emplace(std::pair(key, ref),
                            FoldedActivity{.key = ActivityKey(stream, ref, recorded_at), .ended = std::nullopt});
  }
  if (!step.has_outcome()) return absl::OkStatus();
  const OutgoingRef ref = RefOf(step.outcome().activity());
  EndedActivity ended{.ended_micros = absl::ToUnixMicros(recorded_at), .answer_id = step.outcome().answer_id()};
  folded_.forget_until = std::max(folded_.forget_until, recorded_at - kKeepAnswers);
  if (const auto started = folded_.started.find(std::pair(key, ref)); started != folded_.started.end()) {
    started->second.ended = std::move(ended);
  } else {
    folded_.ended.emplace(std::pair(std::move(key), ref), std::move(ended));
  }
  return absl::OkStatus();
}

// An instance that has come and gone in between costs nothing.
absl::Status ProcessDirectory::WriteFolded() {
  const Folded folded = std::exchange(folded_, {});
  for (const auto& [key, instance] : folded.instances) {
    if (!instance.changed) continue;
    EVERFOLD_RETURN_IF_ERROR(WriteInstance(key, instance));
    EVERFOLD_RETURN_IF_ERROR(WriteTimers(key, instance));
  }
  EVERFOLD_RETURN_IF_ERROR(WriteStarted(folded.started));
  for (const auto& [place, ended] : folded.ended) {
    EVERFOLD_RETURN_IF_ERROR(WriteEnded(place.first, place.second, ended));
  }
  if (folded.forget_until == absl::InfinitePast()) return absl::OkStatus();
  const sqlite::Use use(*forget_activities_);
  forget_activities_->Integer(0, absl::ToUnixMicros(folded.forget_until));
  return forget_activities_->Step().status();
}

absl::Status ProcessDirectory::WriteInstance(const std::string& key, const FoldedInstance& folded) {
  if (folded.was.has_value()) {
    --counts_.instances;
    counts_.in_flight -= folded.was->in_flight;
    counts_.timers -= folded.was->timers;
  }
  if (folded.is_over) {
    if (!folded.was.has_value()) return absl::OkStatus();
    const sqlite::Use use(*remove_);
    remove_->Text(0, key);
    return remove_->Step().status();
  }
  ++counts_.instances;
  counts_.in_flight += folded.now.in_flight;
  counts_.timers += folded.now.timers;
  const sqlite::Use use(*put_);
  put_->Text(0, key);
  put_->Integer(1, SignedOf(folded.now.version.value()));
  put_->Integer(2, folded.now.in_flight);
  put_->Integer(3, folded.now.timers);
  put_->Integer(4, absl::ToUnixMicros(folded.now.recorded_at));
  return put_->Step().status();
}

absl::Status ProcessDirectory::WriteTimers(const std::string& key, const FoldedInstance& folded) {
  if (folded.was.has_value() && folded.was->timers > 0) {
    const sqlite::Use use(*remove_timers_);
    remove_timers_->Text(0, key);
    EVERFOLD_RETURN_IF_ERROR(remove_timers_->Step().status());
  }
  for (const FoldedTimer& timer : folded.timers) {
    const sqlite::Use use(*put_timer_);
    put_timer_->Text(0, key);
    put_timer_->Text(1, timer.name);
    put_timer_->Integer(2, timer.due_micros);
    put_timer_->Integer(3, SignedOf(timer.version));
    EVERFOLD_RETURN_IF_ERROR(put_timer_->Step().status());
  }
  return absl::OkStatus();
}

// In the order of their keys, in which they lie in the file.
absl::Status ProcessDirectory::WriteStarted(const std::map<ActivityPlace, FoldedActivity>& started) {
  std::vector<const std::pair<const ActivityPlace, FoldedActivity>*> by_key;
  by_key.reserve(started.size());
  for (const auto& activity : started) by_key.push_back(&activity);
  std::sort(by_key.begin(), by_key.end(),
            [](const auto* one, const auto* other) { return one->second.key < other->second.key; });
  for (const auto* const activity : by_key) {
    EVERFOLD_RETURN_IF_ERROR(WriteStarted(activity->first.first, activity->first.second, activity->second));
  }
  return absl::OkStatus();
}

absl::Status ProcessDirectory::WriteStarted(const std::string& instance, const OutgoingRef& ref,
                                            const FoldedActivity& activity) {
  const sqlite::Use use(*put_activity_);
  put_activity_->Text(0, activity.key);
  put_activity_->Text(1, instance);
  put_activity_->Integer(2, SignedOf(ref.version.value()));
  put_activity_->Integer(3, ref.index);
  if (activity.ended.has_value()) {
    put_activity_->Integer(4, activity.ended->ended_micros);
    put_activity_->Text(5, activity.ended->answer_id);
  } else {
    put_activity_->Null(4);
    put_activity_->Null(5);
  }
  return put_activity_->Step().status();
}

absl::Status ProcessDirectory::WriteEnded(const std::string& instance, const OutgoingRef& ref,
                                          const EndedActivity& ended) {
  const sqlite::Use use(*end_activity_);
  end_activity_->Integer(0, ended.ended_micros);
  end_activity_->Text(1, ended.answer_id);
  end_activity_->Text(2, instance);
  end_activity_->Integer(3, SignedOf(ref.version.value()));
  end_activity_->Integer(4, ref.index);
  return end_activity_->Step().status();
}

absl::StatusOr<std::vector<DueTimer>> ProcessDirectory::TimersAfter(const DueTimer& after, absl::Time until,
                                                                    std::size_t limit) {
  const sqlite::Use use(*timers_after_);
  timers_after_->Integer(0, after.due_micros);
  timers_after_->Text(1, after.instance);
  timers_after_->Text(2, after.name);
  timers_after_->Integer(3, absl::ToUnixMicros(until));
  timers_after_->Integer(4, SignedOf(limit));
  std::vector<DueTimer> timers;
  while (true) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, timers_after_->Step());
    if (!found) return timers;
    timers.push_back({.due_micros = timers_after_->Integer(0),
                      .instance = std::string(timers_after_->Text(1)),
                      .name = std::string(timers_after_->Text(2)),
                      .version = Version(UnsignedOf(timers_after_->Integer(3)))});
  }
}

absl::StatusOr<std::vector<OpenInstance>> ProcessDirectory::Read(sqlite::Statement& select, const std::string& key,
                                                                 std::size_t limit) {
  const sqlite::Use use(select);
  select.Text(0, key);
  select.Integer(1, SignedOf(limit));
  std::vector<OpenInstance> instances;
  while (true) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, select.Step());
    if (!found) return instances;
    instances.push_back({.key = std::string(select.Text(0)),
                         .version = Version(UnsignedOf(select.Integer(1))),
                         .in_flight = static_cast<std::uint32_t>(select.Integer(2)),
                         .timers = static_cast<std::uint32_t>(select.Integer(3)),
                         .recorded_at = absl::FromUnixMicros(select.Integer(4))});
  }
}

absl::StatusOr<std::vector<OpenInstance>> ProcessDirectory::InstancesAfter(const std::string& key, std::size_t limit) {
  return Read(*instances_after_, key, limit);
}

absl::StatusOr<std::vector<OpenInstance>> ProcessDirectory::InFlightAfter(const std::string& key, std::size_t limit) {
  return Read(*in_flight_after_, key, limit);
}

absl::StatusOr<std::optional<FoundActivity>> ProcessDirectory::FindActivity(const std::string& activity_key) {
  const sqlite::Use use(*find_activity_);
  find_activity_->Text(0, activity_key);
  EVERFOLD_ASSIGN_OR_RETURN(const bool found, find_activity_->Step());
  if (!found) return std::nullopt;
  FoundActivity activity{
      .instance = std::string(find_activity_->Text(0)),
      .ref = {Version(UnsignedOf(find_activity_->Integer(1))), static_cast<std::uint32_t>(find_activity_->Integer(2))},
      .ended = !find_activity_->IsNull(3)};
  if (activity.ended) activity.answer_id = std::string(find_activity_->Text(4));
  return activity;
}

}  // namespace everfold
