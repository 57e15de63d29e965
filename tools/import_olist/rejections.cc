#include "tools/import_olist/rejections.h"

#include "absl/strings/str_format.h"
#include "tools/import/progress_bar.h"

namespace everfold {

Rejections::Rejections(const DataSet& data) : rows_of_orders_(data.rows_of_bad_orders) {
  for (const BadRow& row : data.bad_rows) AddRow(row.file, row.line);
}

void Rejections::AddOrder(const OlistOrder& order) {
  if (!orders_.insert(order.line).second) return;
  rows_of_orders_ += static_cast<std::int64_t>(order.items.size() + order.payments.size());
}

std::string Rejections::Text() const {
  std::string text = absl::StrFormat("%s rejected rows", WithThousands(static_cast<std::int64_t>(rows_.size())));
  if (rows_of_orders_ > 0) text += absl::StrFormat(", and %s rows of their orders", WithThousands(rows_of_orders_));
  return text;
}

}  // namespace everfold
