// Where typed tables keep their rows: one SQLite transaction, behind an interface that knows no row type.
#pragma once

#include <cstddef>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "everfold/projection/read_model.h"

namespace everfold {

class RowCache;

// Threading: one thread. Lifetime: one transaction.
// Errors are sticky: after the first one every call does nothing, and status() tells it. The owner of the transaction
// asks for the status before it commits, so handlers need not.
class RowStore {
 public:
  using Bind = absl::FunctionRef<void(ColumnWriter&)>;
  using BindRow = absl::FunctionRef<void(std::size_t i, ColumnWriter&)>;
  using Visit = absl::FunctionRef<void(const ColumnReader&)>;

  virtual ~RowStore() = default;
  // Calls `row` for the row with this key; false if there is none.
  virtual bool Get(const ReadModelSchema& schema, Bind key, Visit row) = 0;
  // True if the table has no row; what is only in cache() does not count. False after an error.
  virtual bool IsEmpty(const ReadModelSchema& schema) = 0;
  // Inserts the row, or replaces the one with its key.
  virtual void Upsert(const ReadModelSchema& schema, Bind row) = 0;
  // The same for so many rows, no two of them with the same key. Faster than one by one, most of all in the order of
  // keys.
  virtual void UpsertAll(const ReadModelSchema& schema, std::size_t rows, BindRow row) = 0;
  // Removes the row with this key, if there is one.
  virtual void Remove(const ReadModelSchema& schema, Bind key) = 0;
  // Calls `row` for every row, in the order of the key.
  virtual void Scan(const ReadModelSchema& schema, Visit row) = 0;
  // Calls `row` for every row that satisfies a condition of SQL, in the order of the key.
  virtual void Select(const ReadModelSchema& schema, std::string_view condition, Bind parameters, Visit row) = 0;
  // Runs one statement on the tables of the projection, and calls `row` for every row of its result. SQL of a handler:
  // it may read and change rows, and nothing else.
  virtual void Execute(std::string_view sql, Bind parameters, Visit row) = 0;
  virtual absl::Status status() const = 0;
  // Where rows may be read and changed instead of by the calls above; null if nowhere. Flushed before Scan, Select and
  // Execute.
  virtual RowCache* cache() { return nullptr; }
  // False, with the error that a change of the table would have now.
  virtual bool MayChange(const ReadModelSchema&) { return status().ok(); }
};

}  // namespace everfold
