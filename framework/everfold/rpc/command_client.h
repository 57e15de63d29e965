// Sends commands to an application, and retries where that is safe and of use.
//
//   CommandClient client(channel);
//   const auto receipt = client.Execute(MakeDeposit({.wallet_id = "w1", .amount_minor = 2500}));
//   if (const auto said = RejectionIn<InsufficientFunds>(receipt.status())) Ask(said->missing_minor());
//
// Every command carries a request id, a new UUID unless the caller has one of its own, so that a retry never makes
// events twice. It retries what may have a better end the next time: UNAVAILABLE, RESOURCE_EXHAUSTED, and an unknown
// outcome; after the time that the application asks for (google.rpc.RetryInfo), else after a pause that doubles.
#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/base/error.h"
#include "everfold/decide/traits.h"
#include "everfold/v1/receipt.pb.h"
#include "google/protobuf/message.h"

namespace everfold {

struct CommandClientOptions {
  absl::Duration timeout = absl::Seconds(10);  // of a command with all its attempts
  absl::Duration first_pause = absl::Milliseconds(20);
  absl::Duration longest_pause = absl::Seconds(2);
};

struct ExecuteOptions {
  std::string request_id = {};  // empty: a new one
  std::optional<std::uint64_t> expected_version = {};
  std::string actor = {};  // unverified
};

// Threading: thread-safe; each call blocks its caller.
class CommandClient {
 public:
  explicit CommandClient(std::shared_ptr<grpc::Channel> channel, CommandClientOptions options = {});
  ~CommandClient();

  // The command is accepted, and its events are durable. Otherwise the error of the last attempt, with its details, and
  // the request id in its message; UNKNOWN (OUTCOME_UNKNOWN, with the request_id) if an attempt may have done it, and
  // none has told: only who repeats it under that id finds out.
  template <class C>
  absl::StatusOr<v1::CommandReceipt> Execute(const C& command, const ExecuteOptions& options = {}) {
    static_assert(
        requires { CommandTraits<C>::kName; }, "this message is not a command");
    return ExecuteAny(command, options);
  }
  // The same for a command whose type is not known when the program is built.
  absl::StatusOr<v1::CommandReceipt> ExecuteAny(const google::protobuf::Message& command,
                                                const ExecuteOptions& options = {});

 private:
  struct Stub;
  const std::unique_ptr<Stub> stub_;
  const CommandClientOptions options_;
};

// What the business rule said, if it is why the command was refused.
template <class R>
std::optional<R> RejectionIn(const absl::Status& status) {
  static_assert(
      requires { RejectionTraits<R>::kName; }, "this message is not a rejection");
  R rejection;
  if (!FindDetail(status, rejection)) return std::nullopt;
  return rejection;
}

}  // namespace everfold
