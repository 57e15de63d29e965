#include "everfold/projection/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/projection/bounded_trim.h"

namespace everfold::sqlite {
namespace {

// Another process may hold the file for a moment: an inspection by hand, or the recovery of the WAL.
constexpr int kBusyTimeoutMilliseconds = 5000;

// In place of a path, SQLite's name for a database without a file.
constexpr char kInMemory[] = ":memory:";

constexpr char kOnlyReads[] = "only SELECT is available here";
constexpr char kOnlyRows[] = "only SELECT, INSERT, UPDATE and DELETE are available here";
constexpr int kMaxExpressionDepth = 100;
constexpr int kMaxSelects = 50;
constexpr int kMaxPatternBytes = 100;

absl::StatusCode StatusCodeOf(int extended_code) {
  switch (extended_code & 0xff) {
    case SQLITE_FULL:
      return absl::StatusCode::kResourceExhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::StatusCode::kDataLoss;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
      return absl::StatusCode::kFailedPrecondition;
    default:
      return absl::StatusCode::kInternal;
  }
}

absl::Status ErrorOf(sqlite3* database, int code) {
  const int extended = database != nullptr ? sqlite3_extended_errcode(database) : code;
  const char* text = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
  if ((extended & 0xff) == SQLITE_INTERRUPT) {
    return Error(absl::StatusCode::kDeadlineExceeded, reason::kDeadlineExceeded, "the query was ended at its deadline");
  }
  const absl::StatusCode status_code = StatusCodeOf(extended);
  const bool damaged = status_code == absl::StatusCode::kDataLoss;
  const char* reason = damaged ? reason::kReadModelDamaged : reason::kReadModelFailed;
  return Error(status_code, reason, absl::StrFormat("SQLite: %s (extended code %d)", text, extended));
}

absl::Status Refused(const std::string& message) {
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid, "SQL: " + message);
}

// A value or a row on its way. SQLite's words do not name the limit.
absl::Status TooLarge(sqlite3* database) {
  const std::string limit = std::to_string(sqlite3_limit(database, SQLITE_LIMIT_LENGTH, -1));
  return Error(absl::StatusCode::kInvalidArgument, reason::kLimitExceeded,
               absl::StrFormat("SQL: a value or a row has more than %s bytes", limit), {{"limit", limit}});
}

// Of SQL that is not the framework's own: what SQLite says about it is the caller's to correct.
absl::Status ErrorOfCaller(sqlite3* database, int code) {
  switch (code & 0xff) {
    case SQLITE_ERROR:
    case SQLITE_SCHEMA:  // an error that is found before the connection has read the schema
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
      return Refused(sqlite3_errmsg(database));
    case SQLITE_TOOBIG:
      return TooLarge(database);
    default:
      return ErrorOf(database, code);
  }
}

absl::Status SortsTooMuch(std::uint64_t limit) {
  return Error(absl::StatusCode::kInvalidArgument, reason::kLimitExceeded,
               absl::StrFormat("the query sorts, or sets apart, more than the %d bytes that it may put aside; ask for "
                               "less, or in the order of an index",
                               limit),
               {{"limit", std::to_string(limit)}});
}

bool BeginsWith(const char* text, const char* prefix) { return text != nullptr && absl::StartsWith(text, prefix); }

// Asked about everything that a statement would do, while it is prepared.
class Authorizer {
 public:
  Authorizer(sqlite3* database, Permit permit) : database_(database), permit_(permit) {
    if (permit_ != Permit::kAll) sqlite3_set_authorizer(database_, &Authorizer::Ask, this);
  }
  ~Authorizer() { sqlite3_set_authorizer(database_, nullptr, nullptr); }
  Authorizer(const Authorizer&) = delete;
  Authorizer& operator=(const Authorizer&) = delete;

  // What was asked for and is not permitted; "" if there is nothing.
  const std::string& denied() const { return denied_; }
  // OK unless a statement asked for nothing at all, as VACUUM does, which writes files.
  absl::Status CheckAsked() const { return asked_ ? absl::OkStatus() : Refused(OnlyThese()); }

 private:
  static int Ask(void* self, int action, const char* first, const char* second, const char*, const char*) {
    return static_cast<Authorizer*>(self)->Ask(action, first, second);
  }

  const char* OnlyThese() const { return permit_ == Permit::kRead ? kOnlyReads : kOnlyRows; }

  int Ask(int action, const char* first, const char* second) {
    asked_ = true;
    switch (action) {
      case SQLITE_SELECT:
      case SQLITE_RECURSIVE:
        return SQLITE_OK;
      case SQLITE_READ:
        return BeginsWith(first, "pragma_") ? Deny(OnlyThese()) : SQLITE_OK;
      case SQLITE_FUNCTION:
        return AskFunction(second);
      case SQLITE_INSERT:
      case SQLITE_UPDATE:
      case SQLITE_DELETE:
        return AskChange(first);
      default:
        return Deny(OnlyThese());
    }
  }

  int AskFunction(const char* name) {
    const bool random = BeginsWith(name, "random");
    if (random && permit_ == Permit::kRows)
      return Deny("random values are not available: a rebuild must come to the same");
    // With FTS3 in the library it tells, and takes, addresses of this process.
    if (BeginsWith(name, "fts3_tokenizer")) return Deny("fts3_tokenizer is not available here");
    return BeginsWith(name, "load_extension") ? Deny("extensions are not available here") : SQLITE_OK;
  }

  int AskChange(const char* table) {
    if (permit_ == Permit::kRead) return Deny(kOnlyReads);
    if (BeginsWith(table, "sqlite_")) return Deny(kOnlyRows);  // as every change of the schema does
    if (!BeginsWith(table, "everfold_")) return SQLITE_OK;
    return Deny(absl::StrFormat("the table %s is the framework's own", table));
  }

  int Deny(std::string why) {
    denied_ = std::move(why);
    return SQLITE_DENY;
  }

  sqlite3* database_;
  Permit permit_;
  bool asked_ = false;
  std::string denied_;
};

// True if there is another statement, or what is none, behind the first.
bool HasMore(sqlite3* database, const char* tail) {
  while (*tail != '\0') {
    sqlite3_stmt* next = nullptr;
    const char* after = nullptr;
    const int code = sqlite3_prepare_v2(database, tail, -1, &next, &after);
    sqlite3_finalize(next);
    if (code != SQLITE_OK || next != nullptr) return true;
    if (after == tail) return false;
    tail = after;
  }
  return false;
}

// SQLite makes files that everybody may read, and those beside a database as the database is. So it is there, for the
// owner alone, before SQLite comes to make it; where that fails, SQLite fails at once at the same name, and says so.
// What is there is not opened: when a file is closed, the process loses its locks on it, SQLite's, too.
void MakeForOwner(const std::string& path) {
  const int fd = open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (fd >= 0) close(fd);
  // Of an older Everfold. Where they are not there, or another's, there is nothing to do.
  for (const char* const ending : {"", "-wal", "-shm", "-journal"}) (void)chmod((path + ending).c_str(), 0600);
}

// Nobody asks how much memory SQLite has, and to count that takes a lock of the whole process at each allocation. Where
// something else in the process has used SQLite before, it stays as that has it.
void CountNoMemory() { [[maybe_unused]] static const int configured = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

}  // namespace

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::KeepError(int code) {
  if (code == SQLITE_OK || !status_.ok()) return;
  status_ = permit_ == Permit::kRead ? ErrorOfCaller(database_, code) : ErrorOf(database_, code);
}

void Statement::Integer(int index, std::int64_t value) { KeepError(sqlite3_bind_int64(statement_, index + 1, value)); }

void Statement::Real(int index, double value) {
  if (!std::isnan(value)) return KeepError(sqlite3_bind_double(statement_, index + 1, value));
  if (!status_.ok()) return;
  status_ = Error(absl::StatusCode::kFailedPrecondition, reason::kReadModelFailed,
                  absl::StrFormat("value %d of the row is NaN, which SQLite cannot store", index));
}

// Null if there is no room for it.
const char* Statement::Copy(std::string_view value) {
  if (value.size() > kCopyBytes - copied_) return nullptr;
  if (copies_ == nullptr) copies_ = std::make_unique<char[]>(kCopyBytes);
  char* const copy = copies_.get() + copied_;
  std::copy(value.begin(), value.end(), copy);
  copied_ += value.size();
  return copy;
}

// Here and below: an empty view may have no address, which SQLite would take for NULL; a copy of it has one.
void Statement::Text(int index, std::string_view value) {
  const char* const copy = Copy(value);
  KeepError(sqlite3_bind_text64(statement_, index + 1, copy != nullptr ? copy : value.data(), value.size(),
                                copy != nullptr ? SQLITE_STATIC : SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Statement::Blob(int index, std::string_view value) {
  const char* const copy = Copy(value);
  KeepError(sqlite3_bind_blob64(statement_, index + 1, copy != nullptr ? copy : value.data(), value.size(),
                                copy != nullptr ? SQLITE_STATIC : SQLITE_TRANSIENT));
}

void Statement::Null(int index) { KeepError(sqlite3_bind_null(statement_, index + 1)); }

void Statement::CannotWrite(int index, std::string_view why) {
  if (!status_.ok()) return;
  status_ = Error(absl::StatusCode::kFailedPrecondition, reason::kReadModelFailed,
                  absl::StrFormat("value %d of the row %s", index, std::string(why)));
}

void Statement::CannotRead(int index, std::string_view why) const {
  if (!status_.ok()) return;
  status_ = Error(absl::StatusCode::kDataLoss, reason::kReadModelDamaged,
                  absl::StrFormat("column %s of a row %s", sqlite3_column_name(statement_, index), std::string(why)));
}

bool Statement::IsNull(int index) const { return sqlite3_column_type(statement_, index) == SQLITE_NULL; }

std::int64_t Statement::Integer(int index) const { return sqlite3_column_int64(statement_, index); }

double Statement::Real(int index) const { return sqlite3_column_double(statement_, index); }

std::string_view Statement::Text(int index) const {
  const unsigned char* text = sqlite3_column_text(statement_, index);
  return {reinterpret_cast<const char*>(text), static_cast<std::size_t>(sqlite3_column_bytes(statement_, index))};
}

std::string_view Statement::Blob(int index) const {
  const void* bytes = sqlite3_column_blob(statement_, index);
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(sqlite3_column_bytes(statement_, index))};
}

absl::StatusOr<bool> Statement::Step() {
  if (!status_.ok()) return status_;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  if (spill_ != nullptr && spill_->TakeExceeded()) return SortsTooMuch(spill_->max_bytes());
  return permit_ == Permit::kAll ? ErrorOf(database_, code) : ErrorOfCaller(database_, code);
}

int Statement::parameters() const { return sqlite3_bind_parameter_count(statement_); }
int Statement::columns() const { return sqlite3_column_count(statement_); }
bool Statement::read_only() const { return sqlite3_stmt_readonly(statement_) != 0; }

std::string Statement::column_name(int index) const {
  const char* name = sqlite3_column_name(statement_, index);
  return name != nullptr ? name : "";
}

std::optional<ColumnType> Statement::value_type(int index) const {
  switch (sqlite3_column_type(statement_, index)) {
    case SQLITE_INTEGER:
      return ColumnType::kInteger;
    case SQLITE_FLOAT:
      return ColumnType::kReal;
    case SQLITE_TEXT:
      return ColumnType::kText;
    case SQLITE_BLOB:
      return ColumnType::kBlob;
    default:
      return std::nullopt;
  }
}

void Statement::Reset() {
  sqlite3_reset(statement_);  // its result is that of the last step again
  sqlite3_clear_bindings(statement_);
  copied_ = 0;
  status_ = absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path, Access access) {
  CountNoMemory();
  if (access == Access::kReadWrite && path != kInMemory) MakeForOwner(path);
  const int mode = access == Access::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  std::unique_ptr<SpillFiles> spill;
  if (path != kInMemory) {
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    // What is the framework's own sorts as much as there is, so that an index can be made of every table.
    const std::uint64_t most = access == Access::kReadOnly ? kMaxSpillBytes : std::numeric_limits<std::uint64_t>::max();
    spill = std::make_unique<SpillFiles>(folder.empty() ? "." : folder.string(), most);
  }
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, mode | SQLITE_OPEN_NOMUTEX, spill ? spill->name() : nullptr);
  std::unique_ptr<Database> database(new Database(raw, std::move(spill)));
  if (code != SQLITE_OK) return ErrorOf(raw, code);
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, kBusyTimeoutMilliseconds);
  // A misspelt quoted identifier is an error, not a text.
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  return database;
}

Database::~Database() { sqlite3_close_v2(database_); }

absl::Status Database::Execute(const std::string& sql) {
  const int code = sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : ErrorOf(database_, code);
}

absl::StatusOr<std::unique_ptr<Statement>> Database::Prepare(const std::string& sql) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(database_, sql.c_str(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                      &raw, nullptr);
  if (code != SQLITE_OK) return ErrorOf(database_, code);
  return std::unique_ptr<Statement>(new Statement(database_, raw, Permit::kAll, spill_.get()));
}

absl::StatusOr<std::unique_ptr<Statement>> Database::Prepare(const std::string& sql, Permit permit) {
  if (sql.find('\0') != std::string::npos) return Refused("a zero byte ends no statement");
  const Authorizer authorizer(database_, permit);
  sqlite3_stmt* raw = nullptr;
  const char* tail = nullptr;
  const int code = sqlite3_prepare_v3(database_, sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &raw, &tail);
  std::unique_ptr<Statement> statement(new Statement(database_, raw, permit, spill_.get()));
  if (!authorizer.denied().empty()) return Refused(authorizer.denied());
  if (code != SQLITE_OK) {
    const int at = sqlite3_error_offset(database_);
    const absl::Status error = ErrorOfCaller(database_, code);
    if (at < 0 || !absl::IsInvalidArgument(error)) return error;
    return Refused(absl::StrFormat("at %d: %s", at + 1, sqlite3_errmsg(database_)));
  }
  if (raw == nullptr) return Refused("there is no statement");
  EVERFOLD_RETURN_IF_ERROR(authorizer.CheckAsked());
  if (HasMore(database_, tail)) return Refused("one statement at a time; there is more behind the first");
  return statement;
}

absl::Status Database::LimitCallers(int max_bytes) {
  sqlite3_limit(database_, SQLITE_LIMIT_LENGTH, max_bytes);
  sqlite3_limit(database_, SQLITE_LIMIT_EXPR_DEPTH, kMaxExpressionDepth);
  sqlite3_limit(database_, SQLITE_LIMIT_COMPOUND_SELECT, kMaxSelects);
  sqlite3_limit(database_, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, kMaxPatternBytes);
  const int code = AddBoundedTrim(database_);
  return code == SQLITE_OK ? absl::OkStatus() : ErrorOf(database_, code);
}

void Database::InterruptWhen(std::function<bool()> stop, int steps) {
  stop_ = std::move(stop);
  const auto ask = [](void* self) { return static_cast<Database*>(self)->stop_() ? 1 : 0; };
  sqlite3_progress_handler(database_, steps, stop_ ? +ask : nullptr, this);
}

std::int64_t Database::changes() const { return sqlite3_total_changes64(database_); }
bool Database::in_transaction() const { return sqlite3_get_autocommit(database_) == 0; }

std::string Quoted(std::string_view identifier) {
  std::string quoted = "\"";
  for (const char c : identifier) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace everfold::sqlite
