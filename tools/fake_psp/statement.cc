#include "tools/fake_psp/statement.h"

#include "absl/strings/str_cat.h"

namespace psp {

Statement::Statement(sqlite3* database, const std::string& sql) : database_(database) {
  Take(sqlite3_prepare_v2(database, sql.c_str(), static_cast<int>(sql.size()), &statement_, nullptr));
}

Statement& Statement::Bind(std::int64_t value) {
  if (status_.ok()) Take(sqlite3_bind_int64(statement_, ++bound_, value));
  return *this;
}

Statement& Statement::Bind(const std::string& value) {
  if (!status_.ok()) return *this;
  Take(sqlite3_bind_text64(statement_, ++bound_, value.data(), value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  if (!status_.ok()) return status_;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  Take(code);
  return status_;
}

absl::Status Statement::Run() { return Step().status(); }

std::string Statement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return text == nullptr ? std::string()
                         : std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

void Statement::Take(int code) {
  if (code == SQLITE_OK) return;
  status_ = absl::InternalError(absl::StrCat("the books: ", sqlite3_errmsg(database_)));
}

}  // namespace psp
