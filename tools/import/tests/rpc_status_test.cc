#include "tools/import/rpc_status.h"

#include "everfold/base/error.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

google::rpc::BadRequest TwoViolations() {
  google::rpc::BadRequest bad;
  for (const char* field : {"command.a", "command.b"}) {
    auto& violation = *bad.add_field_violations();
    violation.set_field(field);
    violation.set_description("must be greater than 0, is 0 (int64.gt)");
    violation.set_reason("INT64_GT");
  }
  return bad;
}

grpc::Status StatusWith(const google::protobuf::Message& detail) {
  google::rpc::Status status;
  status.add_details()->PackFrom(detail);
  return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "2 fields are not valid", status.SerializeAsString());
}

TEST(FromGrpc, KeepsOk) { EXPECT_TRUE(FromGrpc(grpc::Status::OK).ok()); }

TEST(FromGrpc, KeepsCodeMessageAndDetails) {
  const absl::Status status = FromGrpc(StatusWith(TwoViolations()));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "2 fields are not valid");
  google::rpc::BadRequest bad;
  ASSERT_TRUE(FindDetail(status, bad));
  EXPECT_EQ(bad.field_violations_size(), 2);
}

TEST(FromGrpc, LeavesOutDetailsThatAreNone) {
  const absl::Status status = FromGrpc(grpc::Status(grpc::StatusCode::ABORTED, "no", "\xff\xff"));
  EXPECT_EQ(status, absl::AbortedError("no"));
}

TEST(Describe, NamesFieldsAndRules) {
  EXPECT_EQ(Describe(FromGrpc(StatusWith(TwoViolations()))),
            "command.a must be greater than 0, is 0 (int64.gt); command.b must be greater than 0, is 0 (int64.gt)");
}

TEST(Describe, TellsCodeAndMessageOtherwise) {
  EXPECT_EQ(Describe(Error(absl::StatusCode::kAborted, reason::kVersionConflict, "version 7, not 5")),
            "ABORTED: version 7, not 5");
}

}  // namespace
}  // namespace everfold
