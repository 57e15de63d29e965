// Addresses that a server listens on: "127.0.0.1:50051", "[::1]:50051", "localhost:50051" or "unix:/path".
#pragma once

#include <string>

#include "absl/status/status.h"

namespace everfold {

// Whether this process could listen on the address now, by trying it. gRPC itself does not tell why it could not, and
// it takes a Unix socket away from a process that listens on it.
//   INVALID_ARGUMENT  not of the form above, or a host that is not known
//   UNAVAILABLE       in use, no permission, not an address of this machine; the message names the address
absl::Status CheckListenAddress(const std::string& address);

// INVALID_ARGUMENT unless a client could be given it: HOST:PORT, or unix:PATH. Asks nobody whether it is there.
absl::Status CheckAddress(const std::string& address);

// The address with its port replaced; unchanged for Unix sockets.
std::string WithPort(const std::string& address, int port);

}  // namespace everfold
