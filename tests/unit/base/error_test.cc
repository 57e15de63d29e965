#include "everfold/base/error.h"

#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

absl::Status Conflict() {
  return Error(absl::StatusCode::kAborted, reason::kVersionConflict, "wallet/w1 is at version 7, not 5",
               {{"actual_version", "7"}, {"expected_version", "5"}});
}

TEST(Error, CarriesReasonDomainAndFields) {
  const absl::Status status = Conflict();
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(status.message(), "wallet/w1 is at version 7, not 5");
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(FindDetail(status, info));
  EXPECT_EQ(info.reason(), "VERSION_CONFLICT");
  EXPECT_EQ(info.domain(), "everfold.dev");
  EXPECT_EQ(info.metadata().size(), 2u);
  EXPECT_EQ(info.metadata().at("actual_version"), "7");
  EXPECT_EQ(info.metadata().at("expected_version"), "5");
}

TEST(Error, DetailsAreKeyedByTheirTypeUrl) {
  EXPECT_TRUE(Conflict().GetPayload("type.googleapis.com/google.rpc.ErrorInfo").has_value());
}

TEST(ReasonOf, IsEmptyWithoutAnErrorInfo) {
  EXPECT_EQ(ReasonOf(Conflict()), "VERSION_CONFLICT");
  EXPECT_EQ(ReasonOf(absl::AbortedError("plain")), "");
  EXPECT_EQ(ReasonOf(absl::OkStatus()), "");
}

TEST(FindDetail, TellsWhatIsNotThere) {
  google::rpc::RetryInfo retry;
  EXPECT_FALSE(FindDetail(Conflict(), retry));
}

TEST(AddRetryInfo, KeepsFractionsOfSeconds) {
  absl::Status status = absl::UnavailableError("busy");
  AddRetryInfo(status, absl::Milliseconds(2500));
  google::rpc::RetryInfo retry;
  ASSERT_TRUE(FindDetail(status, retry));
  EXPECT_EQ(retry.retry_delay().seconds(), 2);
  EXPECT_EQ(retry.retry_delay().nanos(), 500'000'000);
}

TEST(AddResourceInfo, NamesTypeAndName) {
  absl::Status status = absl::NotFoundError("no wallet");
  AddResourceInfo(status, "wallet", "w1");
  google::rpc::ResourceInfo resource;
  ASSERT_TRUE(FindDetail(status, resource));
  EXPECT_EQ(resource.resource_type(), "wallet");
  EXPECT_EQ(resource.resource_name(), "w1");
}

TEST(AddDetail, ReplacesTheDetailOfItsType) {
  absl::Status status = Conflict();
  google::rpc::ErrorInfo other;
  other.set_reason("OTHER");
  AddDetail(status, other);
  EXPECT_EQ(ReasonOf(status), "OTHER");
}

}  // namespace
}  // namespace everfold
