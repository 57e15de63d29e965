// How a field of a read model is kept in a column of SQLite.
//
//   field                                   column   remark
//   bool, int32 .. uint32, int64 ..         INTEGER
//   uint64, fixed64                         INTEGER  the same 64 bits, signed; not in a key
//   float, double                           REAL     not in a key
//   string                                  TEXT
//   bytes                                   BLOB
//   enum                                    TEXT     the value's name; the number where it has none
//   google.protobuf.Timestamp               INTEGER  microseconds since 1970; not in a key
//
// A field with presence is NULL where it is not set.
#pragma once

#include <string>

#include "codegen/problems.h"
#include "google/protobuf/descriptor.h"

namespace everfold::codegen {

// What is wrong with the field as a column, or as a part of the key; "" if nothing.
std::string RefusedAsColumn(const pb::FieldDescriptor& field);
std::string RefusedAsKey(const pb::FieldDescriptor& field);

bool IsTimestamp(const pb::FieldDescriptor& field);

// "kInteger", "kReal", "kText" or "kBlob"; also the names, without the k, of what ColumnWriter and ColumnReader offer.
std::string ColumnTypeOf(const pb::FieldDescriptor& field);
// The C++ expression of the column's value, from one of the field's value.
std::string ToColumn(const pb::FieldDescriptor& field, const std::string& value);
// The C++ expression of the field's value, from one of the column's.
std::string FromColumn(const pb::FieldDescriptor& field, const std::string& column);

}  // namespace everfold::codegen
