// What a value of a filter is in the column that it is compared with.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "everfold/projection/read_model.h"
#include "everfold/query/list_query.h"
#include "everfold/query/row_key.h"

namespace everfold {

// A value as it is written.
struct FilterLiteral {
  bool quoted = false;
  std::string text;  // without quotes and escapes
};

// False for an order that says nothing: of names, and of true and false.
bool Compares(const Column& column, Comparison comparison);

// INVALID_ARGUMENT, in words for whoever wrote the filter, for a value that is none of the column's field.
absl::StatusOr<ColumnValue> ValueOf(const Column& column, const FilterLiteral& literal);

}  // namespace everfold
