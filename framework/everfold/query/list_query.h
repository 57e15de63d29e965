// What a list asks for, understood: which rows, in which order, from where on.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "everfold/projection/read_model.h"
#include "everfold/query/row_key.h"

namespace everfold {

// Of a filter, and of an order.
inline constexpr std::size_t kMaxListTextBytes = 4096;

enum class Comparison { kEqual, kNotEqual, kLess, kAtMost, kGreater, kAtLeast };

// One of a filter, all of which a row must satisfy. A column that is NULL satisfies none.
struct Condition {
  std::size_t column = 0;
  Comparison comparison = Comparison::kEqual;
  ColumnValue value;
  friend bool operator==(const Condition&, const Condition&) = default;
};

// A column that is NULL comes before all others.
struct OrderTerm {
  std::size_t column = 0;
  bool descending = false;
  friend bool operator==(const OrderTerm&, const OrderTerm&) = default;
};

struct ListQuery {
  std::vector<Condition> conditions = {};
  std::vector<OrderTerm> order = {};                   // ends with what is left of the key, so that no two rows tie
  std::optional<std::vector<ColumnValue>> after = {};  // values of `order` in the last row of the page before
  int limit = 0;                                       // rows
  std::size_t max_bytes = 0;                           // of the rows; the first row comes whatever its size
};

// The columns that a filter and an order may name: those of the key, then those of the indexes.
std::vector<std::size_t> DeclaredColumns(const ReadModelSchema& schema);
// By the name of their field. nullopt if there is none that is declared.
std::optional<std::size_t> FindDeclared(const ReadModelSchema& schema, std::string_view field);

// INVALID_ARGUMENT of a text of the request: "filter, at 7: there is ...". `at` counts bytes from 0; the message
// from 1.
absl::Status ListError(const char* request_field, std::size_t at, const std::string& what);
absl::Status ListTextTooLong(const char* request_field, std::size_t bytes);
// "there is no field "emial" to filter by; there are: order_id, email".
std::string NoSuchField(const ReadModelSchema& schema, std::string_view field, const char* purpose);

// One SELECT whose rows are the page's and one more, and its parameters in their order.
struct ListSql {
  std::string text;
  std::vector<std::pair<ColumnType, ColumnValue>> parameters;
};
ListSql ListSqlOf(const ReadModelSchema& schema, const ListQuery& query);

}  // namespace everfold
