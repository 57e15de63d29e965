// Reads the details of a gRPC status as a client does.
#pragma once

#include <grpcpp/support/status.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace everfold {

inline google::rpc::Status DetailsOf(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  return details;
}

// The detail of this type; empty, with a failure, if there is none.
template <class Detail>
Detail DetailOf(const grpc::Status& status) {
  Detail detail;
  const google::rpc::Status details = DetailsOf(status);
  for (const google::protobuf::Any& any : details.details()) {
    if (any.UnpackTo(&detail)) return detail;
  }
  ADD_FAILURE() << "no " << Detail::descriptor()->full_name() << " in " << details.ShortDebugString();
  return detail;
}

// The details' type names, in order.
inline std::vector<std::string> DetailTypesOf(const grpc::Status& status) {
  std::vector<std::string> types;
  const google::rpc::Status details = DetailsOf(status);
  for (const google::protobuf::Any& any : details.details()) types.push_back(any.type_url());
  return types;
}

}  // namespace everfold
