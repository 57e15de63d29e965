#include "everfold/rpc/application_stub.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include "absl/strings/str_format.h"
#include "everfold/base/error_message.h"
#include "everfold/rpc/status.h"

namespace everfold {

std::shared_ptr<grpc::Channel> ChannelTo(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);  // as many partitions and findings as there are
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

absl::Status AnswerOf(const std::string& address, const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  // What an application says has details.
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE && status.error_details().empty()) {
    return absl::UnavailableError(absl::StrFormat("the application at %s could not be reached, is it running? %s",
                                                  address, status.error_message()));
  }
  return WithMessage(FromGrpcStatus(status),
                     absl::StrFormat("the application at %s says: %s", address, status.error_message()));
}

}  // namespace everfold
