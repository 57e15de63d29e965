// Orders as the files of the data set, with all of their public columns. What a column tells that an order does not
// know is left empty.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/import_olist/olist_order.h"

namespace everfold {

// Threading: one thread.
class DataSetWriter {
 public:
  // Replaces the files that are there. Errors: INTERNAL for a folder that cannot be written.
  static absl::StatusOr<std::unique_ptr<DataSetWriter>> Open(const std::string& directory);
  virtual ~DataSetWriter() = default;

  virtual void Write(const OlistOrder& order) = 0;
  // INTERNAL if not all of it could be written.
  virtual absl::Status Close() = 0;
};

}  // namespace everfold
