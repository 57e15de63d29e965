#include "everfold/rpc/command_call.h"

#include <chrono>

#include "everfold/base/error.h"
#include "everfold/base/mutex.h"
#include "tests/unit/rpc/counter.h"
#include "tests/unit/rpc/details.h"

namespace everfold {
namespace {

using counter::v1::IncreaseRequest;
using counter::v1::IncreaseResponse;
using google::rpc::BadRequest;
using google::rpc::ErrorInfo;
using testing::_;

CommandReceipt SomeReceipt() {
  return {.stream = {.tenant = "acme", .aggregate = "counter", .id = "c1"},
          .version = Version(7),
          .token = {.epoch = {std::string(16, 'e')}, .positions = {{PartitionId(3), Offset(12)}}},
          .sequence = Sequence(42),
          .recorded_at = absl::FromUnixMicros(1767225600123456),
          .repeated = true};
}

IncreaseRequest SomeRequest() {
  IncreaseRequest request;
  request.mutable_command()->set_counter_id("c1");
  request.mutable_command()->set_by(5);
  return request;
}

class CommandCallTest : public CounterServerTest {
 protected:
  // The next command is answered with `outcome`, and kept in request_.
  void Expect(absl::StatusOr<CommandOutcome> outcome) {
    EXPECT_CALL(handler_, Handle(_, _))
        .WillOnce([this, outcome = std::make_shared<absl::StatusOr<CommandOutcome>>(std::move(outcome))](
                      CommandRequest request, CommandHandler::Done done) {
          by_ = static_cast<const counter::v1::Increase*>(request.command)->by();
          request_ = std::move(request);
          done(std::move(*outcome));
        });
  }

  grpc::Status Send(const IncreaseRequest& request = SomeRequest()) {
    return commands_->Increase(&context_, request, &response_);
  }

  grpc::ClientContext context_;
  IncreaseResponse response_;
  CommandRequest request_;
  std::int64_t by_ = 0;
};

TEST_F(CommandCallTest, AnswersWithTheReceipt) {
  Expect(SomeReceipt());
  const grpc::Status status = Send();
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response_.receipt().stream(), "counter/c1");
  EXPECT_EQ(response_.receipt().version(), 7u);
  EXPECT_EQ(response_.receipt().sequence(), 42u);
  EXPECT_EQ(response_.receipt().consistency_token(), EncodeToken(SomeReceipt().token));
  EXPECT_EQ(response_.receipt().recorded_at().seconds(), 1767225600);
  EXPECT_EQ(response_.receipt().recorded_at().nanos(), 123456000);
  EXPECT_TRUE(response_.receipt().repeated());
}

TEST_F(CommandCallTest, HandsTheCommandOver) {
  Expect(SomeReceipt());
  IncreaseRequest request = SomeRequest();
  request.set_request_id("r1");
  request.set_expected_version(0);
  EXPECT_TRUE(Send(request).ok());
  EXPECT_EQ(by_, 5);
  EXPECT_EQ(request_.request_id, "r1");
  EXPECT_EQ(request_.expected_version, Version(0));
  EXPECT_EQ(request_.field_path, "command.");
  EXPECT_EQ(request_.tenant, "");
  EXPECT_EQ(request_.deadline, absl::InfiniteFuture());
}

TEST_F(CommandCallTest, ExpectsNoVersionUnlessTheRequestDoes) {
  Expect(SomeReceipt());
  EXPECT_TRUE(Send().ok());
  EXPECT_EQ(request_.expected_version, std::nullopt);
  EXPECT_EQ(request_.request_id, "");
}

TEST_F(CommandCallTest, TakesMetadataFromHeaders) {
  Expect(SomeReceipt());
  context_.AddMetadata("everfold-actor", "kim");
  context_.AddMetadata("everfold-correlation-id", "corr");
  context_.AddMetadata("everfold-causation-id", "caus");
  context_.AddMetadata("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  EXPECT_TRUE(Send().ok());
  EXPECT_EQ(request_.metadata.actor, "kim");
  EXPECT_EQ(request_.metadata.correlation_id, "corr");
  EXPECT_EQ(request_.metadata.causation_id, "caus");
  EXPECT_EQ(request_.metadata.traceparent, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
}

TEST_F(CommandCallTest, IgnoresAMalformedTraceparent) {
  Expect(SomeReceipt());
  context_.AddMetadata("traceparent", "00-00000000000000000000000000000000-00f067aa0ba902b7-01");
  EXPECT_TRUE(Send().ok());
  EXPECT_EQ(request_.metadata.traceparent, "");
}

TEST_F(CommandCallTest, HandsTheDeadlineOver) {
  Expect(SomeReceipt());
  const absl::Time deadline = absl::Now() + absl::Hours(1);
  context_.set_deadline(absl::ToChronoTime(deadline));
  EXPECT_TRUE(Send().ok());
  EXPECT_LT(absl::AbsDuration(request_.deadline - deadline), absl::Minutes(1));
}

TEST_F(CommandCallTest, TakesTheRequestIdFromTheHeader) {
  Expect(SomeReceipt());
  context_.AddMetadata("idempotency-key", "k1");
  EXPECT_TRUE(Send().ok());
  EXPECT_EQ(request_.request_id, "k1");
}

TEST_F(CommandCallTest, AcceptsTheSameRequestIdInBothPlaces) {
  Expect(SomeReceipt());
  context_.AddMetadata("idempotency-key", "k1");
  IncreaseRequest request = SomeRequest();
  request.set_request_id("k1");
  EXPECT_TRUE(Send(request).ok());
  EXPECT_EQ(request_.request_id, "k1");
}

TEST_F(CommandCallTest, RefusesTwoDifferentRequestIds) {
  context_.AddMetadata("idempotency-key", "k1");
  IncreaseRequest request = SomeRequest();
  request.set_request_id("k2");
  const grpc::Status status = Send(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "request_id and the header idempotency-key differ; set one of them");
  EXPECT_EQ(DetailOf<ErrorInfo>(status).reason(), "REQUEST_INVALID");
  EXPECT_EQ(DetailOf<ErrorInfo>(status).metadata().at("idempotency_key"), "k1");
}

TEST_F(CommandCallTest, RefusesAHeaderThatIsGivenTwice) {
  context_.AddMetadata("everfold-actor", "kim");
  context_.AddMetadata("everfold-actor", "lee");
  const grpc::Status status = Send();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "header everfold-actor is given more than once");
  EXPECT_EQ(DetailOf<ErrorInfo>(status).metadata().at("header"), "everfold-actor");
}

TEST_F(CommandCallTest, RefusesATenantBecauseReadModelsDoNotKeepThemApart) {
  context_.AddMetadata("everfold-tenant", "acme");
  const grpc::Status status = Send();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(status.error_message(),
            "the header everfold-tenant is not served: read models do not keep tenants apart; leave it out");
}

TEST_F(CommandCallTest, RefusesARequestWithoutACommand) {
  const grpc::Status status = Send(IncreaseRequest());
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "counter.v1.Increase: command must be set");
  const BadRequest bad_request = DetailOf<BadRequest>(status);
  ASSERT_EQ(bad_request.field_violations_size(), 1);
  EXPECT_EQ(bad_request.field_violations(0).field(), "command");
  EXPECT_EQ(bad_request.field_violations(0).reason(), "REQUIRED");
  EXPECT_EQ(DetailOf<ErrorInfo>(status).reason(), "COMMAND_INVALID");
}

TEST_F(CommandCallTest, AnswersARejectionWithItsStreamAndItself) {
  auto message = std::make_unique<counter::v1::TooLarge>();
  message->set_limit(3);
  Expect(Rejection{.message = std::move(message), .subject = "counter/c1"});
  const grpc::Status status = Send();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(status.error_message(), "counter/c1: TooLarge {limit: 3}");
  EXPECT_EQ(DetailOf<counter::v1::TooLarge>(status).limit(), 3);
}

TEST_F(CommandCallTest, PassesErrorsOnWithTheirDetails) {
  Expect(Error(absl::StatusCode::kAborted, reason::kVersionConflict, "conflict", {{"actual_version", "7"}}));
  const grpc::Status status = Send();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(DetailOf<ErrorInfo>(status).metadata().at("actual_version"), "7");
}

TEST_F(CommandCallTest, SurvivesAnErrorThatFillsItsDetails) {
  absl::Status status = Error(absl::StatusCode::kInvalidArgument, reason::kCommandInvalid, std::string(5000, 'm'));
  BadRequest bad_request;
  for (int i = 0; i < 1000; ++i) bad_request.add_field_violations()->set_field("command.by");
  AddDetail(status, bad_request);
  Expect(status);
  const grpc::Status received = Send();
  EXPECT_EQ(received.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(DetailOf<ErrorInfo>(received).reason(), "COMMAND_INVALID");
  EXPECT_GT(DetailOf<BadRequest>(received).field_violations_size(), 0);
}

TEST_F(CommandCallTest, AnswersAfterTheClientHasCancelled) {
  Notification handed_over, cancelled;
  CommandHandler::Done answer;
  const google::protobuf::Message* command = nullptr;
  EXPECT_CALL(handler_, Handle(_, _)).WillOnce([&](CommandRequest request, CommandHandler::Done done) {
    answer = std::move(done);
    command = request.command;
    handed_over.Notify();
  });
  const IncreaseRequest request = SomeRequest();
  grpc::Status status;
  commands_->async()->Increase(&context_, &request, &response_, [&](const grpc::Status& result) {
    status = result;
    cancelled.Notify();
  });
  handed_over.WaitForNotification();
  context_.TryCancel();
  cancelled.WaitForNotification();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(static_cast<const counter::v1::Increase*>(command)->by(), 5);  // the request is still there
  answer(SomeReceipt());
  server_->Shutdown(absl::InfiniteFuture());  // returns only if the call has ended
}

}  // namespace
}  // namespace everfold
