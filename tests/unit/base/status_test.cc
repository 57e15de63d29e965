#include "everfold/base/status.h"

#include <memory>

#include "gtest/gtest.h"

namespace everfold {
namespace {

absl::Status FirstError(const absl::Status& a, const absl::Status& b) {
  EVERFOLD_RETURN_IF_ERROR(a);
  EVERFOLD_RETURN_IF_ERROR(b);
  return absl::OkStatus();
}

absl::StatusOr<int> Sum(absl::StatusOr<std::unique_ptr<int>> a, absl::StatusOr<int> b) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<int> left, std::move(a));
  EVERFOLD_ASSIGN_OR_RETURN(int right, b);
  return *left + right;
}

TEST(ReturnIfError, ReturnsTheFirstError) {
  const absl::Status a = absl::AbortedError("a"), b = absl::InternalError("b");
  EXPECT_EQ(FirstError(a, b), a);
  EXPECT_EQ(FirstError(absl::OkStatus(), b), b);
  EXPECT_EQ(FirstError(absl::OkStatus(), absl::OkStatus()), absl::OkStatus());
}

TEST(AssignOrReturn, MovesTheValueOut) { EXPECT_EQ(Sum(std::make_unique<int>(2), 3).value(), 5); }

TEST(AssignOrReturn, ReturnsTheFirstError) {
  EXPECT_EQ(Sum(absl::AbortedError("a"), absl::InternalError("b")).status(), absl::AbortedError("a"));
  EXPECT_EQ(Sum(std::make_unique<int>(2), absl::InternalError("b")).status(), absl::InternalError("b"));
}

}  // namespace
}  // namespace everfold
