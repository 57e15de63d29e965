// Event types as their stored bytes are read: what a store keeps of them, and whether a binary of today reads it.
#pragma once

#include <string>
#include <vector>

#include "everfold/v1/type_description.pb.h"
#include "google/protobuf/descriptor.h"

namespace everfold {

v1::TypeDescription DescribeType(const google::protobuf::Descriptor& message);

// What keeps events that were written as `stored` from being read as `current` without loss: each a sentence that names
// the field or enum value, what it was and what it is, and after a semicolon what to do. Empty if there is nothing.
// Fine are: new fields; fields that are gone; other names of fields, values, messages and enums; a wider type of the
// same kind (int32 to int64, uint32 to int64, bool or an enum to an integer, string to bytes); a field that became
// repeated.
std::vector<std::string> IncompatibleChanges(const v1::TypeDescription& stored, const v1::TypeDescription& current);

}  // namespace everfold
