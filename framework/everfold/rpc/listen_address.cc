#include "everfold/rpc/listen_address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"

namespace everfold {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";

class Socket {
 public:
  explicit Socket(int family) : descriptor_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

absl::Status Malformed(const std::string& address) {
  return absl::InvalidArgumentError(absl::StrFormat(
      "'%s' is not an address to listen on: give HOST:PORT, for example 127.0.0.1:50051, or unix:PATH", address));
}

absl::Status CannotListen(const std::string& address, int error) {
  const char* const advice = error == EADDRINUSE ? "; stop the process that listens there, or choose another address"
                             : error == EACCES   ? "; choose a port above 1023, or a folder you may write"
                                                 : "";
  return absl::UnavailableError(absl::StrFormat("cannot listen on %s: %s%s", address,
                                                error == EADDRINUSE ? "address in use" : std::strerror(error), advice));
}

// A file that nobody listens on is left over from a process that was killed; gRPC replaces it.
absl::Status CheckUnixSocket(const std::string& address, std::string_view path) {
  if (path.starts_with("//")) path.remove_prefix(2);  // unix:///path
  sockaddr_un name{.sun_family = AF_UNIX, .sun_path = {}};
  if (path.empty()) return Malformed(address);
  if (path.size() >= sizeof(name.sun_path)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s: the path of a Unix socket has at most %d bytes", address, sizeof(name.sun_path) - 1));
  }
  path.copy(name.sun_path, path.size());
  const Socket probe(AF_UNIX);
  const int connected = ::connect(probe.descriptor(), reinterpret_cast<const sockaddr*>(&name), sizeof(name));
  return connected == 0 ? CannotListen(address, EADDRINUSE) : absl::OkStatus();
}

using Resolved = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

absl::StatusOr<Resolved> Resolve(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == address.size()) return Malformed(address);
  // getaddrinfo would take a port modulo 65536.
  std::uint32_t port = 0;
  if (!absl::SimpleAtoi(address.substr(colon + 1), &port) || port > 65535) return Malformed(address);
  std::string host = address.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), address.c_str() + colon + 1, &hints, &found);
  if (error == EAI_NONAME || error == EAI_SERVICE) return Malformed(address);
  if (error != 0)
    return absl::UnavailableError(absl::StrFormat("cannot listen on %s: %s", address, gai_strerror(error)));
  return Resolved(found, &::freeaddrinfo);
}

// As servers do, so that connections of a process that has just ended are not in the way.
int TryBind(const addrinfo& candidate) {
  const Socket probe(candidate.ai_family);
  const int on = 1;
  ::setsockopt(probe.descriptor(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (::bind(probe.descriptor(), candidate.ai_addr, candidate.ai_addrlen) != 0) return errno;
  return ::listen(probe.descriptor(), 1) == 0 ? 0 : errno;
}

}  // namespace

absl::Status CheckAddress(const std::string& address) {
  const std::string_view unix_path =
      address.starts_with(kUnixPrefix) ? std::string_view(address).substr(kUnixPrefix.size()) : "";
  if (!unix_path.empty()) return absl::OkStatus();
  const std::size_t colon = address.rfind(':');
  std::uint32_t port = 0;
  const bool has_both = colon != std::string::npos && colon > 0 && absl::SimpleAtoi(address.substr(colon + 1), &port);
  if (has_both && port > 0 && port <= 65535 && !address.starts_with(kUnixPrefix)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrFormat(
      "'%s' is not the address of an application: give HOST:PORT, for example 127.0.0.1:50051, or unix:PATH", address));
}

absl::Status CheckListenAddress(const std::string& address) {
  if (address.starts_with(kUnixPrefix))
    return CheckUnixSocket(address, std::string_view(address).substr(kUnixPrefix.size()));
  const absl::StatusOr<Resolved> candidates = Resolve(address);
  if (!candidates.ok()) return candidates.status();
  for (const addrinfo* candidate = candidates->get(); candidate != nullptr; candidate = candidate->ai_next) {
    if (const int error = TryBind(*candidate); error != 0) return CannotListen(address, error);
  }
  return absl::OkStatus();
}

std::string WithPort(const std::string& address, int port) {
  if (address.starts_with(kUnixPrefix)) return address;
  return absl::StrFormat("%s:%d", address.substr(0, address.rfind(':')), port);
}

}  // namespace everfold
