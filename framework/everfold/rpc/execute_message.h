// A command that came packed, with its type's name.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "everfold/command/command_handler.h"
#include "everfold/v1/command_service.pb.h"
#include "google/protobuf/message.h"

namespace everfold {

// INVALID_ARGUMENT without a command (COMMAND_INVALID), or if its bytes do not parse (REQUEST_INVALID); UNIMPLEMENTED
// if no aggregate takes it.
absl::StatusOr<std::unique_ptr<google::protobuf::Message>> Unpack(const v1::ExecuteRequest& request,
                                                                  const CommandHandler& handler);

// For the handler; the unpacked command outlives it.
CommandRequest CommandRequestOf(const v1::ExecuteRequest& request, const google::protobuf::Message& command);

}  // namespace everfold
