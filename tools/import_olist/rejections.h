// What of a data set is not imported.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "tools/import_olist/data_set.h"

namespace everfold {

// Counts rows, each one once however many steps it is made into. Threading: one thread.
class Rejections {
 public:
  // Begins with the data set's bad rows.
  explicit Rejections(const DataSet& data);

  // A step that is made from this row was refused.
  void AddRow(const std::string& file, int line) { rows_.emplace(file, line); }
  // The order was not placed: its items and payments are left out with it.
  void AddOrder(const OlistOrder& order);

  bool empty() const { return rows_.empty(); }
  bool Has(const OlistOrder& order) const { return orders_.contains(order.line); }

  // "20 rejected rows, and 2 rows of their orders".
  std::string Text() const;

 private:
  std::set<std::pair<std::string, int>> rows_;
  std::set<int> orders_;  // lines of their file
  std::int64_t rows_of_orders_ = 0;
};

}  // namespace everfold
