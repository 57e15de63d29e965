// The schemas that a reader needs who has none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "everfold/event/event_type.h"
#include "google/protobuf/descriptor.pb.h"

namespace everfold {

// The files of those types that this binary has, and all that they import, each behind its imports.
google::protobuf::FileDescriptorSet SchemaClosureOf(absl::Span<const std::string> types);

// Full names of all types that a log of so many partitions defines, each once, in order.
std::vector<std::string> TypeNamesOf(const TypeDictionary& types, std::uint32_t partitions);

}  // namespace everfold
