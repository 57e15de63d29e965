// The rows of the shop's read models, as the demo shows and compares them.
#pragma once

#include <memory>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "grpcpp/channel.h"

namespace shop::v1 {

// Every row of all seven read models: one line each, sorted.
absl::Status DumpRows(std::shared_ptr<grpc::Channel> channel, std::ostream& out);

// A table of the first rows of revenue by method and day, from a state that includes the token's write.
absl::Status PrintSomeDays(std::shared_ptr<grpc::Channel> channel, const std::string& consistency_token,
                           std::ostream& out);

}  // namespace shop::v1
