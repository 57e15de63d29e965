#include "everfold/projection/sqlite.h"

#include <sqlite3.h>

#include <cmath>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"

namespace everfold::sqlite {
namespace {

// Another process may hold the file for a moment: an inspection by hand, or the recovery of the WAL.
constexpr int kBusyTimeoutMilliseconds = 5000;

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
  const absl::StatusCode status_code = StatusCodeOf(extended);
  const char* reason = status_code == absl::StatusCode::kDataLoss ? reason::kDataLoss : reason::kReadModelFailed;
  return Error(status_code, reason, absl::StrFormat("SQLite: %s (extended code %d)", text, extended));
}

}  // namespace

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::KeepError(int code) {
  if (code != SQLITE_OK && parameter_status_.ok()) parameter_status_ = ErrorOf(database_, code);
}

void Statement::Integer(int index, std::int64_t value) { KeepError(sqlite3_bind_int64(statement_, index + 1, value)); }

void Statement::Real(int index, double value) {
  if (!std::isnan(value)) return KeepError(sqlite3_bind_double(statement_, index + 1, value));
  if (!parameter_status_.ok()) return;
  parameter_status_ = Error(absl::StatusCode::kFailedPrecondition, reason::kReadModelFailed,
                            absl::StrFormat("value %d of the row is NaN, which SQLite cannot store", index));
}

void Statement::Text(int index, std::string_view value) {
  // An empty view may have no address, which SQLite would take for NULL.
  const char* bytes = value.data() != nullptr ? value.data() : "";
  KeepError(sqlite3_bind_text64(statement_, index + 1, bytes, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Statement::Blob(int index, std::string_view value) {
  const char* bytes = value.data() != nullptr ? value.data() : "";
  KeepError(sqlite3_bind_blob64(statement_, index + 1, bytes, value.size(), SQLITE_TRANSIENT));
}

void Statement::Null(int index) { KeepError(sqlite3_bind_null(statement_, index + 1)); }

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
  if (!parameter_status_.ok()) return parameter_status_;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return ErrorOf(database_, code);
}

void Statement::Reset() {
  sqlite3_reset(statement_);  // its result is that of the last step again
  sqlite3_clear_bindings(statement_);
  parameter_status_ = absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path, Access access) {
  const int mode = access == Access::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, mode | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Database> database(new Database(raw));
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
  return std::unique_ptr<Statement>(new Statement(database_, raw));
}

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
