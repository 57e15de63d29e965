#include "tools/import_olist/refusal.h"

#include <gtest/gtest.h>

#include "everfold/base/error.h"
#include "everfold/base/timestamp.h"
#include "shop/v1/order.pb.h"
#include "shop/v1/payment.pb.h"

namespace everfold {
namespace {

template <class Rejection>
absl::Status TimeRefused() {
  Rejection rejection;
  *rejection.mutable_occurred_at() = TimestampOf(absl::FromUnixMillis(4'070'908'800'500));
  *rejection.mutable_earliest() = TimestampOf(absl::UnixEpoch());
  *rejection.mutable_latest() = TimestampOf(absl::FromUnixSeconds(1'767'225'600));
  absl::Status status = absl::FailedPreconditionError("seconds: 4070908800");
  AddDetail(status, rejection);
  return status;
}

TEST(TextOfRefusal, TellsTimesAsPeopleReadThem) {
  const std::string text =
      "it cannot have happened at 2099-01-01T00:00:00.5Z: not from 1970-01-01T00:00:00Z to 2026-01-01T00:00:00Z";
  EXPECT_EQ(TextOf(TimeRefused<shop::v1::OrderTimeRefused>()), text);
  EXPECT_EQ(TextOf(TimeRefused<shop::v1::PaymentTimeRefused>()), text);
}

TEST(TextOfRefusal, TellsOfARowThatWasImportedBefore) {
  const absl::Status reused =
      Error(absl::StatusCode::kFailedPrecondition, reason::kIdempotencyKeyReused, "other bytes");
  EXPECT_EQ(TextOf(reused), "imported before with other content; the first import stands");
  EXPECT_TRUE(WasImportedOtherwise(reused));
}

TEST(TextOfRefusal, IsTheErrorsOwnElsewhere) {
  EXPECT_EQ(TextOf(absl::NotFoundError("no such order")), "NOT_FOUND: no such order");
  EXPECT_FALSE(WasImportedOtherwise(absl::NotFoundError("no such order")));
}

}  // namespace
}  // namespace everfold
