// A connection that outlives its server.
#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>

namespace everfold {

// What is wrong with an address that a user gave; "" if nothing can be told.
std::string FaultOfAddress(const std::string& address);

// Finds a server that restarts again within about a second. Without encryption: for servers on this machine.
std::shared_ptr<grpc::Channel> Connect(const std::string& address);

}  // namespace everfold
