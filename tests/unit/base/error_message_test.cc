#include "everfold/base/error_message.h"

#include <gtest/gtest.h>

#include "everfold/base/error.h"

namespace everfold {
namespace {

absl::Status Conflict() { return Error(absl::StatusCode::kAborted, reason::kVersionConflict, "it is at version 7"); }

void ExpectSameButMessage(const absl::Status& status, const char* message) {
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ReasonOf(status), reason::kVersionConflict);
  EXPECT_EQ(status.message(), message);
}

TEST(ErrorMessage, CodeAndDetailsStay) {
  ExpectSameButMessage(WithMessage(Conflict(), "other words"), "other words");
  ExpectSameButMessage(Annotate("wallet/w1", Conflict()), "wallet/w1: it is at version 7");
  ExpectSameButMessage(WithMore(Conflict(), "; read it again"), "it is at version 7; read it again");
}

}  // namespace
}  // namespace everfold
