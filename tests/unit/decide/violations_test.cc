#include "everfold/decide/violations.h"

#include <gmock/gmock.h>

#include "everfold/base/error.h"
#include "google/rpc/error_details.pb.h"

namespace everfold {
namespace {

using testing::ElementsAre;

TEST(ViolationsTest, IsOkWhenEmpty) {
  const Violations violations;
  EXPECT_TRUE(violations.empty());
  EXPECT_TRUE(violations.ToStatus("wallet.v1.Deposit", "").ok());
}

TEST(ViolationsTest, PutsScopesBeforeFields) {
  Violations violations;
  {
    const Violations::Scope lines(violations, "lines", 2);
    const Violations::Scope price(violations, "price");
    violations.Add("minor", "int64.gt", "must be greater than 0, is 0");
  }
  violations.Add("name", "required", "must be set");
  EXPECT_THAT(violations.kept(),
              ElementsAre(Violation{"lines[2].price.minor", "int64.gt", "must be greater than 0, is 0"},
                          Violation{"name", "required", "must be set"}));
}

TEST(ViolationsTest, BecomesOneStatusWithAllOfThem) {
  Violations violations;
  violations.Add("amount_minor", "int64.gt", "must be greater than 0, is -5");
  violations.Add("name", "string.min_len", "must have at least 1 character, has 0");
  const absl::Status status = violations.ToStatus("wallet.v1.Deposit", "command.");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(status), reason::kCommandInvalid);
  EXPECT_EQ(status.message(), "wallet.v1.Deposit: amount_minor must be greater than 0, is -5, and 1 more");
  google::rpc::BadRequest bad_request;
  ASSERT_TRUE(FindDetail(status, bad_request));
  ASSERT_EQ(bad_request.field_violations_size(), 2);
  EXPECT_EQ(bad_request.field_violations(0).field(), "command.amount_minor");
  EXPECT_EQ(bad_request.field_violations(0).description(), "must be greater than 0, is -5 (int64.gt)");
  EXPECT_EQ(bad_request.field_violations(0).reason(), "INT64_GT");
  EXPECT_EQ(bad_request.field_violations(1).reason(), "STRING_MIN_LEN");
}

TEST(ViolationsTest, CountsAllAndKeepsTheFirst) {
  Violations violations;
  for (std::size_t i = 0; i < Violations::kMaxKept + 5; ++i) violations.Add("f", "required", std::to_string(i));
  EXPECT_EQ(violations.count(), Violations::kMaxKept + 5);
  ASSERT_EQ(violations.kept().size(), Violations::kMaxKept);
  EXPECT_EQ(violations.kept().back().description, "99");
  EXPECT_EQ(violations.ToStatus("c", "").message(), "c: f 0, and 104 more");
}

TEST(CountCodePointsTest, CountsCharactersOfAnySize) {
  EXPECT_EQ(CountCodePoints(""), 0u);
  EXPECT_EQ(CountCodePoints("abc"), 3u);
  EXPECT_EQ(CountCodePoints("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), 3u);  // two, three and four bytes
}

TEST(IsUuidTest, AcceptsTheTextFormInAnyCase) {
  EXPECT_TRUE(IsUuid("01234567-89ab-cdef-0123-456789ABCDEF"));
  EXPECT_FALSE(IsUuid(""));
  EXPECT_FALSE(IsUuid("01234567-89ab-cdef-0123-456789abcde"));    // one digit short
  EXPECT_FALSE(IsUuid("01234567-89ab-cdef-0123-456789abcdef0"));  // one too many
  EXPECT_FALSE(IsUuid("01234567-89ab-cdef-0123-456789abcdeg"));   // no digit
  EXPECT_FALSE(IsUuid("0123456789ab-cdef-0123-456789abcdef0"));   // dashes elsewhere
}

TEST(PatternTest, MatchesSomewhereUnlessAnchored) {
  EXPECT_TRUE(Pattern("b+").Matches("abbc"));
  EXPECT_FALSE(Pattern("^b+$").Matches("abbc"));
  EXPECT_TRUE(Pattern("^b+$").Matches("bb"));
}

}  // namespace
}  // namespace everfold
