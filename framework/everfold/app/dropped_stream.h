// The stream of an event that is to be left out for good.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "everfold/app/command_line.h"
#include "everfold/event/stream_id.h"

namespace everfold {

// --stream, else the key. INVALID_ARGUMENT if that is no stream: which event it is, is not guessed.
absl::StatusOr<StreamId> DroppedStream(const CommandLine& line);

// As --stream takes it, for people.
std::string StreamForPeople(const std::string& stream, const std::string& tenant);

}  // namespace everfold
