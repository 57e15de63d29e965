// Two versions of read models, row by row.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/projection/read_model.h"
#include "everfold/projection/sqlite.h"

namespace everfold {

// A column in which a row differs. Values as SQLite spells them: 5, 'text', x'00', NULL; long ones are cut.
struct ColumnDifference {
  std::string column;
  std::string before;
  std::string after;
  friend bool operator==(const ColumnDifference&, const ColumnDifference&) = default;
};

struct RowDifference {
  enum class Kind { kAdded, kRemoved, kChanged };
  Kind kind = Kind::kChanged;
  std::string key;                             // values as above, with ", " between those of several columns
  std::vector<ColumnDifference> columns = {};  // of a changed row
  friend bool operator==(const RowDifference&, const RowDifference&) = default;
};

struct TableDifference {
  std::string table;
  std::uint64_t rows = 0;  // of the version after
  std::uint64_t added = 0;
  std::uint64_t removed = 0;
  std::uint64_t changed = 0;
  std::vector<RowDifference> examples = {};  // the first ones of each kind, in the order of the key

  bool empty() const { return added + removed + changed == 0; }
};

// Threading: one thread at a time. Lifetime: the schemas outlive it.
class RowComparison {
 public:
  static constexpr int kMaxExamples = 10;  // of a kind, in a table

  // What is to be compared is what the files hold now, whatever is written to them later. Both have the tables of the
  // schemas. `stop` is asked now and then, and ends Run with DEADLINE_EXCEEDED; null: it is not ended.
  static absl::StatusOr<std::unique_ptr<RowComparison>> Begin(const std::string& before, const std::string& after,
                                                              const std::vector<const ReadModelSchema*>& schemas,
                                                              std::function<bool()> stop = nullptr);

  // One for each schema. Reads all rows of both.
  absl::StatusOr<std::vector<TableDifference>> Run();

 private:
  RowComparison(std::unique_ptr<sqlite::Database> database, const std::vector<const ReadModelSchema*>& schemas)
      : database_(std::move(database)), schemas_(schemas) {}
  absl::StatusOr<TableDifference> Compare(const ReadModelSchema& schema);
  absl::Status AddRows(const ReadModelSchema& schema, RowDifference::Kind kind, const std::string& rows,
                       TableDifference& difference);

  const std::unique_ptr<sqlite::Database> database_;
  const std::vector<const ReadModelSchema*>& schemas_;
};

}  // namespace everfold
