// The requests of calls whose bytes gRPC hands over as they are.
#pragma once

#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/byte_buffer.h>

#include <string>

#include "absl/status/statusor.h"
#include "everfold/base/error.h"

namespace everfold {

// INVALID_ARGUMENT (REQUEST_INVALID) for bytes that are no such message.
template <class Request>
absl::StatusOr<Request> RequestOf(const grpc::ByteBuffer& bytes) {
  grpc::ByteBuffer read = bytes;  // reading takes them away; they are shared, not copied
  Request request;
  if (grpc::SerializationTraits<Request>::Deserialize(&read, &request).ok()) return request;
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
               "the request is no " + Request::descriptor()->full_name());
}

}  // namespace everfold
