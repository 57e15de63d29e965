// A prepared statement of SQLite.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace psp {

// Threading: that of its database. Errors of preparing and binding are told by the first Step.
class Statement {
 public:
  // REQUIRES: the database outlives the statement.
  Statement(sqlite3* database, const std::string& sql);
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // The next parameter.
  Statement& Bind(std::int64_t value);
  Statement& Bind(const std::string& value);

  // Whether there is a row.
  absl::StatusOr<bool> Step();
  // Of a statement without rows.
  absl::Status Run();

  std::int64_t Int(int column) const { return sqlite3_column_int64(statement_, column); }
  std::string Text(int column) const;

 private:
  void Take(int code);

  sqlite3* const database_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
  absl::Status status_;
};

}  // namespace psp
