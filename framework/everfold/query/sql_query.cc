#include "everfold/query/sql_query.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/counted.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/projection/sqlite.h"
#include "everfold/projection/table_description.h"

namespace everfold {
namespace {

constexpr int kStepsBetweenQuestions = 10;  // each of which may be a call of a function that takes long
constexpr std::size_t kBytesACell = 12;     // of a number, or around a text

absl::Status TooMuch(const char* what, std::size_t actual, std::size_t limit) {
  return Error(absl::StatusCode::kInvalidArgument, reason::kLimitExceeded,
               absl::StrFormat("%s: at most %d, %d are given", what, limit, actual),
               {{"limit", std::to_string(limit)}, {"actual", std::to_string(actual)}});
}

// How many bytes the code point takes that begins with this one; 0 if none does. By RFC 3629.
std::size_t CodePointSize(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

bool IsUtf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    const std::size_t size = CodePointSize(byte(0));
    if (size == 0 || at + size > text.size()) return false;
    for (std::size_t i = 1; i < size; ++i) {
      if ((byte(i) & 0xc0) != 0x80) return false;
    }
    // Longer than need be, a half of a surrogate pair, or beyond the last code point.
    if (byte(0) == 0xe0 && byte(1) < 0xa0) return false;
    if (byte(0) == 0xed && byte(1) >= 0xa0) return false;
    if (byte(0) == 0xf0 && byte(1) < 0x90) return false;
    if (byte(0) == 0xf4 && byte(1) >= 0x90) return false;
    at += size;
  }
  return true;
}

SqlCell CellAt(const sqlite::Statement& row, int index) {
  const std::optional<ColumnType> type = row.value_type(index);
  if (!type.has_value()) return {};
  switch (*type) {
    case ColumnType::kInteger:
      return {*type, row.Integer(index)};
    case ColumnType::kReal:
      return {*type, row.Real(index)};
    case ColumnType::kText: {
      std::string text(row.Text(index));
      const ColumnType held = IsUtf8(text) ? ColumnType::kText : ColumnType::kBlob;
      return {held, std::move(text)};
    }
    case ColumnType::kBlob:
      return {*type, std::string(row.Blob(index))};
  }
  return {};
}

std::size_t BytesOf(const SqlCell& cell) {
  const auto* text = std::get_if<std::string>(&cell.value);
  return kBytesACell + (text != nullptr ? text->size() : 0);
}

absl::Status Bind(const SqlQuery& query, sqlite::Statement& statement) {
  if (statement.parameters() != static_cast<int>(query.parameters.size())) {
    return Error(
        absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
        absl::StrFormat("SQL: %s for %s", Counted(static_cast<std::uint64_t>(statement.parameters()), "parameter"),
                        Counted(query.parameters.size(), "value")));
  }
  for (std::size_t i = 0; i < query.parameters.size(); ++i) {
    if (const auto* real = std::get_if<double>(&query.parameters[i].value); real != nullptr && std::isnan(*real)) {
      return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                   absl::StrFormat("SQL: parameter %d is NaN, which SQLite does not have", i + 1));
    }
    WriteValue(query.parameters[i].type, query.parameters[i].value, static_cast<int>(i), statement);
  }
  return statement.status();
}

// The row at hand, whose bytes are taken off `left`. nullopt if they are more than that: then not all of it was looked
// at.
std::optional<std::vector<SqlCell>> RowWithin(const sqlite::Statement& statement, std::size_t& left) {
  std::vector<SqlCell> row;
  for (int i = 0; i < statement.columns(); ++i) {
    const std::size_t bytes = BytesOf(row.emplace_back(CellAt(statement, i)));
    if (bytes > left) return std::nullopt;
    left -= bytes;
  }
  return row;
}

absl::Status RowTooLarge() {
  return Error(absl::StatusCode::kInvalidArgument, reason::kLimitExceeded,
               absl::StrFormat("SQL: a row of the result has more than %d bytes", kMaxSqlResultBytes),
               {{"limit", std::to_string(kMaxSqlResultBytes)}});
}

absl::StatusOr<SqlResult> ResultOf(sqlite::Statement& statement, int max_rows) {
  SqlResult result;
  for (int i = 0; i < statement.columns(); ++i) result.columns.push_back(statement.column_name(i));
  std::size_t left = kMaxSqlResultBytes;
  while (true) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, statement.Step());
    if (!found) return result;
    std::optional<std::vector<SqlCell>> row;
    if (static_cast<int>(result.rows.size()) < max_rows) row = RowWithin(statement, left);
    if (!row.has_value()) break;
    result.rows.push_back(*std::move(row));
  }
  if (result.rows.empty()) return RowTooLarge();
  result.more = true;
  return result;
}

}  // namespace

absl::Status CheckSqlQuery(const SqlQuery& query) {
  if (query.sql.size() > kMaxSqlBytes) return TooMuch("bytes of sql", query.sql.size(), kMaxSqlBytes);
  if (query.parameters.size() > kMaxSqlParameters) {
    return TooMuch("parameters", query.parameters.size(), kMaxSqlParameters);
  }
  if (query.max_rows >= 0) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
               absl::StrFormat("max_rows is %d; it must be 0 (for %d) or more", query.max_rows, kDefaultSqlRows));
}

absl::StatusOr<SqlResult> RunSqlQuery(const std::string& path, const std::vector<const ReadModelSchema*>& read_models,
                                      const SqlQuery& query, std::function<bool()> is_over) {
  EVERFOLD_RETURN_IF_ERROR(CheckSqlQuery(query));
  EVERFOLD_ASSIGN_OR_RETURN(const auto database, sqlite::Database::Open(path, sqlite::Access::kReadOnly));
  EVERFOLD_RETURN_IF_ERROR(ShowAsOf(read_models, *database));
  EVERFOLD_RETURN_IF_ERROR(database->LimitCallers(static_cast<int>(kMaxSqlValueBytes)));
  database->InterruptWhen(std::move(is_over), kStepsBetweenQuestions);
  // Functions that are tables are made, by what looks like a change of the schema, when they are first named.
  EVERFOLD_RETURN_IF_ERROR(database->Execute("SELECT 1 FROM json_each('[]'), json_tree('[]')"));
  EVERFOLD_ASSIGN_OR_RETURN(const auto statement, database->Prepare(query.sql, sqlite::Permit::kRead));
  EVERFOLD_RETURN_IF_ERROR(Bind(query, *statement));
  return ResultOf(*statement, std::min(query.max_rows == 0 ? kDefaultSqlRows : query.max_rows, kMaxSqlRows));
}

}  // namespace everfold
