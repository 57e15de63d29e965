#include "everfold/event/consistency_token.h"

#include "absl/strings/escaping.h"
#include "everfold/base/error.h"
#include "everfold/base/random.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

ConsistencyToken Sample() {
  return {.epoch = {"0123456789abcdef"},
          .positions = {{PartitionId(0), Offset(1)}, {PartitionId(1023), Offset(UINT64_MAX)}},
          .sequence = Sequence(UINT64_MAX)};
}

void ExpectInvalid(std::string_view text) {
  const absl::Status status = DecodeToken(text).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
  EXPECT_EQ(ReasonOf(status), reason::kRequestInvalid);
  EXPECT_EQ(status.message(), "consistency_token is not one that a receipt carried");
}

TEST(ConsistencyToken, ComesBack) {
  const auto token = DecodeToken(EncodeToken(Sample()));
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(*token, Sample());
  const ConsistencyToken without_positions{.epoch = {"0123456789abcdef"}, .positions = {}};
  EXPECT_EQ(DecodeToken(EncodeToken(without_positions)).value(), without_positions);
}

TEST(ConsistencyToken, IsBase64UrlWithoutPadding) {
  EXPECT_EQ(EncodeToken({.epoch = {std::string(16, '\xff')}, .positions = {{PartitionId(2), Offset(3)}}}),
            "ChD_____________________EgQIAhAD");
}

TEST(ConsistencyToken, WithoutASequenceIsTheTextThatItWasBeforeThereWasOne) {
  const auto token = DecodeToken("ChD_____________________EgQIAhAD");
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(token->sequence, Sequence());
  EXPECT_EQ(EncodeToken(*token), "ChD_____________________EgQIAhAD");
}

TEST(ConsistencyToken, RefusesWhatNoReceiptCarried) {
  ExpectInvalid("");
  ExpectInvalid("!!!!");
  ExpectInvalid("AAAA");
  ExpectInvalid(EncodeToken({.epoch = {"too short"}, .positions = {}}));
  ExpectInvalid(EncodeToken({.epoch = {std::string(17, 'e')}, .positions = {}}));
  ExpectInvalid(std::string_view("\0\0\0\0", 4));
  ExpectInvalid(EncodeToken(Sample()) + "A");
  ExpectInvalid(EncodeToken(Sample()) + " ");
  ExpectInvalid(EncodeToken(Sample()) + "AAAA");
}

TEST(ConsistencyToken, RandomTextsNeverCrash) {
  SeededRandom random(1);
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = absl::WebSafeBase64Escape(random.Bytes(random.Below(60)));
    const auto token = DecodeToken(text);
    if (!token.ok()) continue;
    ASSERT_EQ(EncodeToken(*token), text);
  }
}

}  // namespace
}  // namespace everfold
