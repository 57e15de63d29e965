// Whether options stand where they mean something, and what they say.
#pragma once

#include <string>
#include <vector>

#include "codegen/model.h"
#include "codegen/problems.h"
#include "everfold/v1/options.pb.h"
#include "google/protobuf/descriptor.h"

namespace everfold::codegen {

using Kind = v1::MessageOptions::KindCase;

Kind KindOf(const pb::Descriptor& message);
// "an aggregate", "a command", ...
std::string Article(Kind kind);

// Refuses a kind on a nested message, and options of fields where they are not looked at.
void CheckOptions(const pb::Descriptor& message, Problems& problems);

// The field marked `id` of an aggregate, a command or a process; nullptr, and a problem, unless there is exactly one, a
// string.
const pb::FieldDescriptor* IdFieldOf(const pb::Descriptor& message, Problems& problems);
// The field marked `event_time`, or nullptr. Refuses more than one, and types other than Timestamp.
const pb::FieldDescriptor* TimeFieldOf(const pb::Descriptor& event, Problems& problems);
// The fields marked as tags. Refuses types that cannot be one, names that are none, and too many.
std::vector<TagField> TagFieldsOf(const pb::Descriptor& event, Problems& problems);
// "FAILED_PRECONDITION" unless the rejection names another status code.
std::string CodeOf(const pb::Descriptor& rejection, Problems& problems);

inline constexpr std::size_t kMaxPartNameBytes = 64;
inline constexpr std::size_t kMaxProcessNameBytes = 56;  // its streams' names begin with "$process_"

// True for "[a-z][a-z0-9_]{0,63}", as aggregates, boundaries and tags are called.
bool IsPartName(const std::string& name);

// The enumerator of absl::StatusCode: "kFailedPrecondition". "" if there is none of this name, or if it is OK.
std::string StatusEnumerator(const std::string& code);

}  // namespace everfold::codegen
