// How a verb talks to an application that runs.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <string>

#include "absl/status/status.h"

namespace everfold {

// Responses may be of any size.
std::shared_ptr<grpc::Channel> ChannelTo(const std::string& address);

// What the application said, with its address in front; UNAVAILABLE, with what to look at, if it was not reached.
absl::Status AnswerOf(const std::string& address, const grpc::Status& status);

}  // namespace everfold
