// SQL of callers on read models: one SELECT that can change nothing, and is bounded in time, rows and bytes.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "everfold/projection/read_model.h"
#include "everfold/query/row_key.h"

namespace everfold {

inline constexpr int kDefaultSqlRows = 1000;
inline constexpr int kMaxSqlRows = 10'000;
inline constexpr std::size_t kMaxSqlBytes = 64 << 10;  // of the statement
inline constexpr std::size_t kMaxSqlParameters = 100;
inline constexpr std::size_t kMaxSqlResultBytes = 3 << 20;  // of all rows together
// Of a value or a row, also on the way to the result. SQLite can be stopped between the steps of its machine only, and
// a call of a function is one of them, of which some take time by the square of this.
inline constexpr std::size_t kMaxSqlValueBytes = 64 << 10;

// A value of SQLite's. The type is of no account where the value is NULL. A TEXT that is no UTF-8 is a kBlob.
struct SqlCell {
  ColumnType type = ColumnType::kText;
  ColumnValue value = std::monostate();
  friend bool operator==(const SqlCell&, const SqlCell&) = default;
};

struct SqlQuery {
  std::string projection;
  std::string sql;
  std::vector<SqlCell> parameters = {};
  int max_rows = 0;  // 0: kDefaultSqlRows; above kMaxSqlRows: kMaxSqlRows; negative is refused
};

struct SqlResult {
  std::vector<std::string> columns = {};
  std::vector<std::vector<SqlCell>> rows = {};
  bool more = false;  // than these
};

// INVALID_ARGUMENT (REQUEST_INVALID, LIMIT_EXCEEDED) for a query that is out of bounds.
absl::Status CheckSqlQuery(const SqlQuery& query);

// Runs it on a connection of its own to the file, which shows these read models. Blocks until it is done or `is_over`,
// which is asked all the time, from this thread. Few calls of functions are made between two questions, each of them of
// a fraction of a second at worst.
//   INVALID_ARGUMENT   no statement, more than one, one that does more than read; another number of parameters;
//                      whatever SQLite finds wrong, with the place
//   INVALID_ARGUMENT   a value of more than kMaxSqlValueBytes, or a row that is larger than the whole result may be
//                      (LIMIT_EXCEEDED)
//   DEADLINE_EXCEEDED  it was over before the end
absl::StatusOr<SqlResult> RunSqlQuery(const std::string& path, const std::vector<const ReadModelSchema*>& read_models,
                                      const SqlQuery& query, std::function<bool()> is_over);

}  // namespace everfold
