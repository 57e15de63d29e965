#include "everfold/projection/row_comparison.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "everfold/base/status.h"

namespace everfold {
namespace {

using sqlite::Quoted;

constexpr int kMaxValueCharacters = 60;

// A column of the version before or after, as the statement names it.
std::string Before(const Column& column) { return absl::StrCat("b.", Quoted(column.name)); }
std::string After(const Column& column) { return absl::StrCat("a.", Quoted(column.name)); }

// A value as SQLite spells it, not longer than a person reads.
std::string Spelled(const std::string& value) {
  return absl::StrCat("CASE WHEN length(quote(", value, ")) > ", kMaxValueCharacters, " THEN substr(quote(", value,
                      "), 1, ", kMaxValueCharacters, ") || '...' ELSE quote(", value, ") END");
}

template <class Name>
std::string SpelledKey(const ReadModelSchema& schema, Name name) {
  std::vector<std::string> values;
  for (const std::size_t index : schema.key) values.push_back(Spelled(name(schema.columns[index])));
  return absl::StrJoin(values, " || ', ' || ");
}

std::string SameKey(const ReadModelSchema& schema) {
  std::vector<std::string> terms;
  for (const std::size_t index : schema.key) {
    terms.push_back(absl::StrCat(After(schema.columns[index]), " = ", Before(schema.columns[index])));
  }
  return absl::StrJoin(terms, " AND ");
}

template <class Name>
std::string OrderedByKey(const ReadModelSchema& schema, Name name) {
  std::vector<std::string> names;
  for (const std::size_t index : schema.key) names.push_back(name(schema.columns[index]));
  return absl::StrCat(" ORDER BY ", absl::StrJoin(names, ", "));
}

std::vector<const Column*> ValueColumns(const ReadModelSchema& schema) {
  std::vector<const Column*> columns;
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    if (std::find(schema.key.begin(), schema.key.end(), i) == schema.key.end()) columns.push_back(&schema.columns[i]);
  }
  return columns;
}

// A row of the first that the second does not have. One column: the key.
template <class Name>
std::string OnlyIn(const ReadModelSchema& schema, const std::string& first, Name name, const std::string& second) {
  return absl::StrCat("SELECT ", SpelledKey(schema, name), " FROM ", first, " WHERE NOT EXISTS (SELECT 1 FROM ", second,
                      " WHERE ", SameKey(schema), ")", OrderedByKey(schema, name));
}

// Columns: the key, then for each value column whether it differs, and both its values.
std::string Changed(const ReadModelSchema& schema, const std::string& before, const std::string& after) {
  std::vector<std::string> columns = {SpelledKey(schema, After)};
  std::vector<std::string> differs;
  for (const Column* column : ValueColumns(schema)) {
    const std::string is_other = absl::StrCat(Before(*column), " IS NOT ", After(*column));
    differs.push_back(is_other);
    columns.push_back(is_other);
    columns.push_back(Spelled(Before(*column)));
    columns.push_back(Spelled(After(*column)));
  }
  return absl::StrCat("SELECT ", absl::StrJoin(columns, ", "), " FROM ", after, " JOIN ", before, " ON ",
                      SameKey(schema), " WHERE ", differs.empty() ? "0" : absl::StrJoin(differs, " OR "),
                      OrderedByKey(schema, After));
}

std::uint64_t& CountOf(RowDifference::Kind kind, TableDifference& difference) {
  switch (kind) {
    case RowDifference::Kind::kAdded:
      return difference.added;
    case RowDifference::Kind::kRemoved:
      return difference.removed;
    case RowDifference::Kind::kChanged:
      break;
  }
  return difference.changed;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RowComparison>> RowComparison::Begin(const std::string& before, const std::string& after,
                                                                    const std::vector<const ReadModelSchema*>& schemas,
                                                                    std::function<bool()> stop) {
  EVERFOLD_ASSIGN_OR_RETURN(auto database, sqlite::Database::Open(after, sqlite::Access::kReadOnly));
  EVERFOLD_RETURN_IF_ERROR(
      database->Execute(absl::StrCat("ATTACH '", absl::StrReplaceAll(before, {{"'", "''"}}), "' AS before")));
  // A transaction's first look at a file is what it sees of it from then on.
  EVERFOLD_RETURN_IF_ERROR(
      database->Execute("BEGIN; SELECT 1 FROM main.everfold_meta; SELECT 1 FROM before.everfold_meta"));
  database->InterruptWhen(std::move(stop));
  return std::unique_ptr<RowComparison>(new RowComparison(std::move(database), schemas));
}

absl::StatusOr<std::vector<TableDifference>> RowComparison::Run() {
  std::vector<TableDifference> differences;
  for (const ReadModelSchema* schema : schemas_) {
    EVERFOLD_ASSIGN_OR_RETURN(differences.emplace_back(), Compare(*schema));
  }
  return differences;
}

absl::StatusOr<TableDifference> RowComparison::Compare(const ReadModelSchema& schema) {
  TableDifference difference{.table = schema.table};
  const std::string before = absl::StrCat("before.", Quoted(schema.table), " AS b");
  const std::string after = absl::StrCat("main.", Quoted(schema.table), " AS a");
  EVERFOLD_ASSIGN_OR_RETURN(const auto count, database_->Prepare(absl::StrCat("SELECT count(*) FROM ", after)));
  EVERFOLD_RETURN_IF_ERROR(count->Step().status());
  difference.rows = static_cast<std::uint64_t>(count->Integer(0));
  using Kind = RowDifference::Kind;
  EVERFOLD_RETURN_IF_ERROR(AddRows(schema, Kind::kAdded, OnlyIn(schema, after, After, before), difference));
  EVERFOLD_RETURN_IF_ERROR(AddRows(schema, Kind::kRemoved, OnlyIn(schema, before, Before, after), difference));
  EVERFOLD_RETURN_IF_ERROR(AddRows(schema, Kind::kChanged, Changed(schema, before, after), difference));
  return difference;
}

absl::Status RowComparison::AddRows(const ReadModelSchema& schema, RowDifference::Kind kind, const std::string& rows,
                                    TableDifference& difference) {
  const std::vector<const Column*> columns = ValueColumns(schema);
  EVERFOLD_ASSIGN_OR_RETURN(const auto select, database_->Prepare(rows));
  std::uint64_t& count = CountOf(kind, difference);
  while (true) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, select->Step());
    if (!found) return absl::OkStatus();
    if (++count > kMaxExamples) continue;
    RowDifference& row =
        difference.examples.emplace_back(RowDifference{.kind = kind, .key = std::string(select->Text(0))});
    if (kind != RowDifference::Kind::kChanged) continue;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const int at = static_cast<int>(1 + 3 * i);
      if (select->Integer(at) == 0) continue;
      row.columns.push_back({columns[i]->name, std::string(select->Text(at + 1)), std::string(select->Text(at + 2))});
    }
  }
}

}  // namespace everfold
