// Answers of gRPC's server reflection, read from the descriptors that are linked into this binary.
#pragma once

#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "grpc/reflection/v1/reflection.pb.h"

namespace everfold {

// Threading: immutable.
class Reflection {
 public:
  // `services` are listed; every linked file can be asked for.
  explicit Reflection(std::vector<std::string> services)
      : services_(std::move(services)), pool_(*google::protobuf::DescriptorPool::generated_pool()) {}

  // A question without an answer is answered with an error_response.
  grpc::reflection::v1::ServerReflectionResponse Answer(
      const grpc::reflection::v1::ServerReflectionRequest& request) const;

 private:
  const std::vector<std::string> services_;
  const google::protobuf::DescriptorPool& pool_;
};

}  // namespace everfold
