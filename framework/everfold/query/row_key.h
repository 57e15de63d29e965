// The values of a row's key columns, apart from the row.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "everfold/projection/read_model.h"

namespace everfold {

// In the order of the schema's key: integers, reals, and the bytes of texts and blobs. The schema tells which is which.
using RowKey = std::vector<std::variant<std::int64_t, double, std::string>>;

// What `bind` writes, which is a key in its order.
RowKey RecordKey(const std::function<void(ColumnWriter&)>& bind);
// From a whole row.
RowKey ReadKey(const ReadModelSchema& schema, const ColumnReader& row);
// Writes the key to the parameters from index 0. REQUIRES: the key is one of the schema.
void WriteKey(const ReadModelSchema& schema, const RowKey& key, ColumnWriter& out);
// "w1", or "w1/2026-01-01" for a key of two columns; for people.
std::string ToText(const RowKey& key);

}  // namespace everfold
