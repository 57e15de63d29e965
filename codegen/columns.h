// How a field of a read model is kept in columns of SQLite.
//
//   field                                   column   remark
//   bool, int32 .. uint32, int64 ..         INTEGER
//   uint64, fixed64                         INTEGER  the same 64 bits, signed; not in a key or an index
//   float, double                           REAL     not in a key
//   string                                  TEXT
//   bytes                                   BLOB
//   enum                                    TEXT     the value's name; the number where it has none
//   google.protobuf.Timestamp               TEXT     RFC 3339, UTC, nanoseconds; not in a key
//   everfold.v1.Money                       INTEGER and TEXT: <field>_minor, <field>_currency; not in a key
//   other messages, repeated fields, maps   TEXT     JSON; not in a key or an index
//
// A field with presence is NULL where it is not set.
#pragma once

#include <string>
#include <vector>

#include "codegen/model.h"
#include "codegen/problems.h"
#include "google/protobuf/descriptor.h"

namespace everfold::codegen {

// One; of a Money two.
std::vector<Column> ColumnsOf(const pb::FieldDescriptor& field);

// What is wrong with the field as a part of the key, or of an index; "" if nothing.
std::string RefusedAsKey(const pb::FieldDescriptor& field);
std::string RefusedInIndex(const pb::FieldDescriptor& field);

// "total_minor".
std::string ColumnName(const Column& column);
// As filters and orders name it: "total.minor".
std::string FieldPath(const Column& column);

// Designated initializers of the schema's Column.
std::string ColumnInitializers(const Column& column);
// The statement that writes the column of the message `row` to `out`; and the one of a key's value.
std::string WriteStatement(const Column& column, std::size_t index);
std::string WriteKeyStatement(const pb::FieldDescriptor& field, std::size_t index);
// The statements that read the column from `in` into the message `row`, each a line.
std::vector<std::string> ReadStatements(const Column& column, std::size_t index);

}  // namespace everfold::codegen
