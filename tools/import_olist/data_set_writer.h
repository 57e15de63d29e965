// Orders as the files of the data set, with all of their public columns. What a column tells that an order does not
// know is left empty.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/import_olist/olist_order.h"

namespace everfold {

// What becomes of the files of a data set that is there already.
enum class ExistingFiles { kKept, kReplaced };

// Threading: one thread.
class DataSetWriter {
 public:
  // Errors: ALREADY_EXISTS where files would be replaced that are to be kept, INTERNAL for a folder that cannot be
  // written.
  static absl::StatusOr<std::unique_ptr<DataSetWriter>> Open(const std::string& directory, ExistingFiles existing);
  virtual ~DataSetWriter() = default;

  virtual void Write(const OlistOrder& order) = 0;
  // INTERNAL if not all of it could be written.
  virtual absl::Status Close() = 0;
};

}  // namespace everfold
