// Values of a row's columns, apart from the row.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "everfold/projection/read_model.h"

namespace everfold {

// An integer, a real, the bytes of a text or a blob, or NULL. The schema tells which.
using ColumnValue = std::variant<std::int64_t, double, std::string, std::monostate>;

inline bool IsNull(const ColumnValue& value) { return std::holds_alternative<std::monostate>(value); }

// In the order of the schema's key.
using RowKey = std::vector<ColumnValue>;

// What `bind` writes, which is a key in its order.
RowKey RecordKey(const std::function<void(ColumnWriter&)>& bind);
// One column of a whole row.
ColumnValue ReadValue(const ReadModelSchema& schema, std::size_t column, const ColumnReader& row);
// REQUIRES: the value is one of the type, or NULL.
void WriteValue(ColumnType type, const ColumnValue& value, int index, ColumnWriter& out);
// "w1", or "w1/2026-01-01" for a key of two columns; for people.
std::string ToText(const RowKey& key);

}  // namespace everfold
