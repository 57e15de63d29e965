#include "everfold/rpc/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "everfold/base/error.h"
#include "everfold/event/stream_id.h"
#include "tests/unit/rpc/counter.pb.h"
#include "tests/unit/rpc/details.h"

namespace everfold {
namespace {

using counter::v1::TooLarge;
using google::rpc::BadRequest;
using google::rpc::ErrorInfo;
using google::rpc::PreconditionFailure;
using testing::ElementsAre;
using testing::EndsWith;
using testing::SizeIs;

Rejection MakeRejection(const TooLarge& message, absl::StatusCode code = absl::StatusCode::kFailedPrecondition) {
  return {.message = std::make_unique<TooLarge>(message), .code = code};
}

TooLarge Limit(std::int64_t limit) {
  TooLarge message;
  message.set_limit(limit);
  return message;
}

absl::Status WithViolations(int count) {
  absl::Status status = Error(absl::StatusCode::kInvalidArgument, reason::kCommandInvalid, "many");
  BadRequest bad_request;
  for (int i = 0; i < count; ++i) {
    auto& violation = *bad_request.add_field_violations();
    violation.set_field("command.lines[" + std::to_string(i) + "].quantity");
    violation.set_description("must be greater than 0, is -5 (int64.gt)");
    violation.set_reason("INT64_GT");
  }
  AddDetail(status, bad_request);
  return status;
}

TEST(ToGrpcStatus, OkHasNoDetails) {
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok());
  EXPECT_EQ(ToGrpcStatus(absl::OkStatus()).error_details(), "");
}

TEST(ToGrpcStatus, KeepsCodeMessageAndEveryDetail) {
  absl::Status status = Error(absl::StatusCode::kResourceExhausted, reason::kOverloaded, "too much", {{"limit", "9"}});
  AddRetryInfo(status, absl::Milliseconds(1500));
  const grpc::Status translated = ToGrpcStatus(status);
  EXPECT_EQ(translated.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(translated.error_message(), "too much");
  EXPECT_EQ(DetailsOf(translated).code(), 8);
  EXPECT_EQ(DetailsOf(translated).message(), "too much");
  EXPECT_EQ(DetailOf<ErrorInfo>(translated).metadata().at("limit"), "9");
  EXPECT_EQ(DetailOf<google::rpc::RetryInfo>(translated).retry_delay().nanos(), 500000000);
}

TEST(ToGrpcStatus, PutsErrorInfoFirst) {
  absl::Status status = Error(absl::StatusCode::kNotFound, reason::kStreamNotFound, "none");
  AddResourceInfo(status, "counter", "c1");
  AddDetail(status, counter::v1::Counter());
  EXPECT_THAT(DetailTypesOf(ToGrpcStatus(status)),
              ElementsAre("type.googleapis.com/google.rpc.ErrorInfo", "type.googleapis.com/counter.v1.Counter",
                          "type.googleapis.com/google.rpc.ResourceInfo"));
}

TEST(ToGrpcStatus, LeavesPayloadsThatAreNoMessagesBehind) {
  absl::Status status = Error(absl::StatusCode::kInternal, reason::kDeciderFailed, "threw");
  status.SetPayload("our.own/stack", absl::Cord("main"));
  EXPECT_THAT(DetailsOf(ToGrpcStatus(status)).details(), SizeIs(1));
}

TEST(ToGrpcStatus, CutsFieldViolationsThatDoNotFit) {
  const grpc::Status translated = ToGrpcStatus(WithViolations(100));
  EXPECT_LE(translated.error_details().size(), kMaxStatusDetailBytes);
  EXPECT_EQ(DetailOf<ErrorInfo>(translated).reason(), "COMMAND_INVALID");
  const BadRequest kept = DetailOf<BadRequest>(translated);
  EXPECT_GT(kept.field_violations_size(), 30);
  EXPECT_LT(kept.field_violations_size(), 100);
  EXPECT_EQ(kept.field_violations(0).field(), "command.lines[0].quantity");
}

TEST(ToGrpcStatus, KeepsAllFieldViolationsThatFit) {
  EXPECT_EQ(DetailOf<BadRequest>(ToGrpcStatus(WithViolations(10))).field_violations_size(), 10);
}

TEST(ToGrpcStatus, KeepsTheReasonWhenItsMetadataDoesNotFit) {
  const grpc::Status translated = ToGrpcStatus(
      Error(absl::StatusCode::kAborted, reason::kVersionConflict, "conflict", {{"long", std::string(9000, 'x')}}));
  EXPECT_EQ(DetailOf<ErrorInfo>(translated).reason(), "VERSION_CONFLICT");
  EXPECT_TRUE(DetailOf<ErrorInfo>(translated).metadata().empty());
}

TEST(ToGrpcStatus, ShortensALongMessageBetweenCharacters) {
  std::string message;
  for (int i = 0; i < 300; ++i) message += "\xc3\xa4";  // two bytes each
  const std::string shortened = ToGrpcStatus(absl::InternalError(message)).error_message();
  EXPECT_LE(shortened.size(), kMaxStatusMessageBytes);
  EXPECT_THAT(shortened, EndsWith("\xc3\xa4..."));
  EXPECT_TRUE(IsPrintableUtf8(shortened));
}

TEST(RejectionStatus, SaysWhichRuleOfWhichStream) {
  const grpc::Status status = ToGrpcStatus(RejectionStatus("counter/c1", MakeRejection(Limit(20))));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(status.error_message(), "counter/c1: TooLarge {limit: 20}");
  const PreconditionFailure failure = DetailOf<PreconditionFailure>(status);
  ASSERT_EQ(failure.violations_size(), 1);
  EXPECT_EQ(failure.violations(0).type(), "counter.v1.TooLarge");
  EXPECT_EQ(failure.violations(0).subject(), "counter/c1");
  EXPECT_EQ(failure.violations(0).description(), "TooLarge {limit: 20}");
  EXPECT_EQ(DetailOf<ErrorInfo>(status).reason(), "COMMAND_REJECTED");
  EXPECT_EQ(DetailOf<ErrorInfo>(status).domain(), "everfold.dev");
  EXPECT_EQ(DetailOf<ErrorInfo>(status).metadata().at("rejection"), "counter.v1.TooLarge");
  EXPECT_EQ(DetailOf<TooLarge>(status).limit(), 20);
}

TEST(RejectionStatus, HasTheRejectionsOwnCode) {
  const absl::Status status =
      RejectionStatus("counter/c1", MakeRejection(TooLarge(), absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(), "counter/c1: TooLarge");
}

TEST(RejectionStatus, StaysSmallWhenTheRejectionIsLarge) {
  TooLarge message = Limit(20);
  message.set_advice(std::string(20000, 'x'));
  const grpc::Status status = ToGrpcStatus(RejectionStatus("counter/c1", MakeRejection(message)));
  EXPECT_LE(status.error_details().size(), kMaxStatusDetailBytes);
  EXPECT_THAT(DetailTypesOf(status), ElementsAre("type.googleapis.com/google.rpc.ErrorInfo",
                                                 "type.googleapis.com/google.rpc.PreconditionFailure"));
}

}  // namespace
}  // namespace everfold
