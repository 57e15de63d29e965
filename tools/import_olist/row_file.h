// A CSV file of the data set: its columns are found by name, and a row that is malformed spoils itself only.
#pragma once

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace everfold {

// The columns that were asked for, in that order.
struct Row {
  int line = 0;  // the header is line 1
  std::vector<std::string> fields;
};

// Calls `take` with each row, and `refuse` with each one that is malformed, or that `take` does not take: its line, the
// fields as far as they are known, and why.
// NOT_FOUND for a file that cannot be opened, INTERNAL for one that cannot be read on, INVALID_ARGUMENT for one that
// lacks a column.
absl::Status ReadRows(const std::string& path, const std::vector<std::string>& columns,
                      absl::FunctionRef<absl::Status(const Row&)> take,
                      absl::FunctionRef<void(const Row&, const std::string& why)> refuse);

}  // namespace everfold
