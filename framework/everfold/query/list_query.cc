#include "everfold/query/list_query.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "everfold/base/error.h"
#include "everfold/event/stream_id.h"
#include "everfold/projection/read_model_sql.h"
#include "everfold/projection/sqlite.h"

namespace everfold {
namespace {

const char* Operator(Comparison comparison) {
  switch (comparison) {
    case Comparison::kEqual:
      return "=";
    case Comparison::kNotEqual:
      return "<>";
    case Comparison::kLess:
      return "<";
    case Comparison::kAtMost:
      return "<=";
    case Comparison::kGreater:
      return ">";
    case Comparison::kAtLeast:
      return ">=";
  }
  return "";
}

class Builder {
 public:
  Builder(const ReadModelSchema& schema, const ListQuery& query) : schema_(schema), query_(query) {}

  ListSql Build() && {
    std::vector<std::string> conditions;
    for (const Condition& condition : query_.conditions) {
      conditions.push_back(Compare(condition.column, Operator(condition.comparison), condition.value));
    }
    if (query_.after.has_value()) conditions.push_back(IsUniform() ? AfterAtOnce() : AfterByTerms());
    sql_.text = SelectSql(schema_);
    if (!conditions.empty()) sql_.text += " WHERE " + absl::StrJoin(conditions, " AND ");
    sql_.text += " ORDER BY " + absl::StrJoin(query_.order, ", ", [this](std::string* text, const OrderTerm& term) {
                   text->append(Name(term.column) + (term.descending ? " DESC" : ""));
                 });
    // One more than asked for tells whether there is a next page.
    sql_.text += " LIMIT ?";
    sql_.parameters.emplace_back(ColumnType::kInteger, std::int64_t{query_.limit} + 1);
    return std::move(sql_);
  }

 private:
  std::string Name(std::size_t column) const { return sqlite::Quoted(schema_.columns[column].name); }

  std::string Parameter(std::size_t column, const ColumnValue& value) {
    sql_.parameters.emplace_back(schema_.columns[column].type, value);
    return "?";
  }

  std::string Compare(std::size_t column, const char* comparison, const ColumnValue& value) {
    return absl::StrFormat("%s %s %s", Name(column), comparison, Parameter(column, value));
  }

  // Rows compare as a whole, which SQLite searches for in an index, where all terms go one way and none may be NULL.
  bool IsUniform() const {
    return std::all_of(query_.order.begin(), query_.order.end(), [this](const OrderTerm& term) {
      return term.descending == query_.order.front().descending && !schema_.columns[term.column].nullable;
    });
  }

  std::string AfterAtOnce() {
    std::vector<std::string> names, values;
    for (std::size_t i = 0; i < query_.order.size(); ++i) {
      names.push_back(Name(query_.order[i].column));
      values.push_back(Parameter(query_.order[i].column, (*query_.after)[i]));
    }
    return absl::StrFormat("(%s) %s (%s)", absl::StrJoin(names, ", "), query_.order.front().descending ? "<" : ">",
                           absl::StrJoin(values, ", "));
  }

  // Behind the first term's value; or at it, and behind the second's; and so on. What bounds the first term alone comes
  // before, because an index serves that.
  std::string AfterByTerms() {
    std::vector<std::string> ways;
    const std::string bound = Bound();
    for (std::size_t i = 0; i < query_.order.size(); ++i) {
      if (IsLast(i)) continue;
      std::vector<std::string> parts;
      for (std::size_t j = 0; j < i; ++j) {
        parts.push_back(Compare(query_.order[j].column, "IS", (*query_.after)[j]));
      }
      parts.push_back(Behind(i));
      ways.push_back("(" + absl::StrJoin(parts, " AND ") + ")");
    }
    const std::string behind = ways.empty() ? "FALSE" : "(" + absl::StrJoin(ways, " OR ") + ")";
    return bound.empty() ? behind : bound + " AND " + behind;
  }

  // NULL comes first, and so last where the order is descending.
  bool IsLast(std::size_t term) const { return query_.order[term].descending && IsNull((*query_.after)[term]); }

  std::string Behind(std::size_t i) {
    const OrderTerm& term = query_.order[i];
    const ColumnValue& value = (*query_.after)[i];
    if (IsNull(value)) return Name(term.column) + " IS NOT NULL";
    if (!term.descending) return Compare(term.column, ">", value);
    const std::string less = Compare(term.column, "<", value);
    if (!schema_.columns[term.column].nullable) return less;
    return absl::StrFormat("(%s OR %s IS NULL)", less, Name(term.column));
  }

  std::string Bound() {
    const OrderTerm& term = query_.order.front();
    const ColumnValue& value = query_.after->front();
    if (IsNull(value)) return "";
    if (!term.descending) return Compare(term.column, ">=", value);
    return schema_.columns[term.column].nullable ? "" : Compare(term.column, "<=", value);
  }

  const ReadModelSchema& schema_;
  const ListQuery& query_;
  ListSql sql_;
};

}  // namespace

std::vector<std::size_t> DeclaredColumns(const ReadModelSchema& schema) {
  std::vector<std::size_t> columns = schema.key;
  for (const Index& index : schema.indexes) {
    for (const std::size_t column : index.columns) {
      if (std::find(columns.begin(), columns.end(), column) == columns.end()) columns.push_back(column);
    }
  }
  return columns;
}

std::optional<std::size_t> FindDeclared(const ReadModelSchema& schema, std::string_view field) {
  for (const std::size_t column : DeclaredColumns(schema)) {
    if (schema.columns[column].field_path() == field) return column;
  }
  return std::nullopt;
}

absl::Status ListError(const char* request_field, std::size_t at, const std::string& what) {
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
               absl::StrFormat("%s, at %d: %s", request_field, at + 1, what),
               {{"field", request_field}, {"position", std::to_string(at + 1)}});
}

absl::Status ListTextTooLong(const char* request_field, std::size_t bytes) {
  return Error(absl::StatusCode::kInvalidArgument, reason::kLimitExceeded,
               absl::StrFormat("%s has %d bytes; at most %d are taken", request_field, bytes, kMaxListTextBytes),
               {{"limit", std::to_string(kMaxListTextBytes)}, {"actual", std::to_string(bytes)}});
}

std::string NoSuchField(const ReadModelSchema& schema, std::string_view field, const char* purpose) {
  const std::string fields = absl::StrJoin(
      DeclaredColumns(schema), ", ",
      [&schema](std::string* text, std::size_t column) { text->append(schema.columns[column].field_path()); });
  return absl::StrFormat("there is no field %s to %s by; there are: %s", ShownText(field), purpose, fields);
}

ListSql ListSqlOf(const ReadModelSchema& schema, const ListQuery& query) { return Builder(schema, query).Build(); }

}  // namespace everfold
