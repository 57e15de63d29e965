// A folder of the data set, read and joined.
//
// It is held in memory, because the rows of an order are scattered over the files, which are in no common order. An
// order takes about 0.7 KB, and so the 100,000 of the whole public data set take about 70 MB.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/import_olist/olist_order.h"

namespace everfold {

// A row that cannot be what its file is about. The others are not touched by it.
struct BadRow {
  std::string file;
  int line = 0;
  std::string why;
  friend bool operator==(const BadRow&, const BadRow&) = default;
};

struct DataSet {
  std::vector<OlistOrder> orders;  // in the order of their file
  std::vector<BadRow> bad_rows;
  // Good rows of items and payments whose order is a bad row.
  std::int64_t rows_of_bad_orders = 0;
};

// NOT_FOUND for a file that cannot be opened, INTERNAL for one that cannot be read on, INVALID_ARGUMENT for one that
// lacks a column.
absl::StatusOr<DataSet> ReadDataSet(const std::string& directory);

}  // namespace everfold
