// From absl::Status to what a gRPC caller sees: the same code and message, and the status's payloads as the details of
// a google.rpc.Status in the trailer grpc-status-details-bin (https://google.aip.dev/193).
//
// A trailer that is too large would make the whole call fail at the client, so details are bounded: ErrorInfo goes
// first, field violations are cut from the end, and a detail that still does not fit is left out.
#pragma once

#include <grpcpp/support/status.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "everfold/decide/decision.h"
#include "google/rpc/status.pb.h"

namespace everfold {

// Clients accept 8 KB of metadata by default. As base64 this many bytes become 6 KB; the rest is for the message, which
// is sent a second time in percent-encoding, and for whatever else is in the trailer.
inline constexpr std::size_t kMaxStatusDetailBytes = 4608;
inline constexpr std::size_t kMaxStatusMessageBytes = 400;

grpc::Status ToGrpcStatus(const absl::Status& status);
// And back, as a client reads it.
absl::Status FromGrpcStatus(const grpc::Status& status);
// The same as a message, for calls that answer more than one request.
google::rpc::Status ToStatusMessage(const absl::Status& status);

// A business rule said no, as a status: the rejection's code, PreconditionFailure, ErrorInfo (COMMAND_REJECTED) and the
// typed rejection itself. `subject` is the stream, "wallet/w1".
// REQUIRES: the rejection has a message.
absl::Status RejectionStatus(std::string_view subject, const Rejection& rejection);

}  // namespace everfold
