#include "everfold/query/list_filter.h"

#include "everfold/base/error.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"
#include "tests/unit/query/order_rows.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const ReadModelSchema kSchema = OrderRowSchema();

std::vector<Condition> Parsed(const std::string& filter) {
  const auto conditions = ParseFilter(kSchema, filter);
  EXPECT_TRUE(conditions.ok()) << filter << ": " << conditions.status();
  return conditions.value_or(std::vector<Condition>());
}

std::string Refusal(const std::string& filter) {
  const absl::Status status = ParseFilter(kSchema, filter).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << filter;
  EXPECT_EQ(ReasonOf(status), reason::kRequestInvalid) << filter;
  return std::string(status.message());
}

TEST(ListFilter, EmptyTextHasNoConditions) {
  EXPECT_THAT(Parsed(""), IsEmpty());
  EXPECT_THAT(Parsed(" \t\n"), IsEmpty());
}

TEST(ListFilter, ReadsEveryOperator) {
  const auto comparison = [](const std::string& sign) { return Parsed("customer" + sign + "\"c\"").at(0).comparison; };
  EXPECT_EQ(comparison("="), Comparison::kEqual);
  EXPECT_EQ(comparison(" != "), Comparison::kNotEqual);
  EXPECT_EQ(comparison("<"), Comparison::kLess);
  EXPECT_EQ(comparison(" <="), Comparison::kAtMost);
  EXPECT_EQ(comparison("> "), Comparison::kGreater);
  EXPECT_EQ(comparison(">="), Comparison::kAtLeast);
}

TEST(ListFilter, JoinsConditionsByAnd) {
  EXPECT_THAT(Parsed("id = 'a' AND total.minor>-5 AND paid=true"),
              ElementsAre(Condition{0, Comparison::kEqual, std::string("a")},
                          Condition{5, Comparison::kGreater, std::int64_t{-5}},
                          Condition{3, Comparison::kEqual, std::int64_t{1}}));
}

TEST(ListFilter, ReadsValuesByTheTypeOfTheField) {
  const auto value = [](const std::string& filter) { return Parsed(filter).at(0).value; };
  EXPECT_EQ(value(R"(customer = "a \"b\" \\ 'c'")"), ColumnValue(std::string(R"(a "b" \ 'c')")));
  EXPECT_EQ(value(R"(customer = '\'"')"), ColumnValue(std::string("'\"")));
  EXPECT_EQ(value("customer = \"\""), ColumnValue(std::string()));
  EXPECT_EQ(value("total.minor = 9223372036854775807"), ColumnValue(std::int64_t{9223372036854775807}));
  EXPECT_EQ(value("total.minor = -9223372036854775808"), ColumnValue(std::numeric_limits<std::int64_t>::min()));
  EXPECT_EQ(value("weight < -1.5e3"), ColumnValue(-1500.0));
  EXPECT_EQ(value("paid != false"), ColumnValue(std::int64_t{0}));
  EXPECT_EQ(value("kind = TYPE_BOOL"), ColumnValue(std::string("TYPE_BOOL")));
  EXPECT_EQ(value("kind = 77"), ColumnValue(std::string("77")));
  EXPECT_EQ(value("mark = \"/wA=\""), ColumnValue(std::string("\xff\0", 2)));
}

TEST(ListFilter, ReadsTimesExactly) {
  const auto value = [](const std::string& time) {
    return std::get<std::string>(Parsed("placed_at >= " + time).at(0).value);
  };
  EXPECT_EQ(value("\"2026-01-31T08:00:00Z\""), "2026-01-31T08:00:00.000000000Z");
  EXPECT_EQ(value("2026-01-31T08:00:00+02:00"), "2026-01-31T06:00:00.000000000Z");
  EXPECT_EQ(value("2026-01-31T08:00:00.123456789Z"), "2026-01-31T08:00:00.123456789Z");
  EXPECT_EQ(value("0001-01-01T00:00:00Z"), "0001-01-01T00:00:00.000000000Z");
}

TEST(ListFilter, NamesThePlaceOfWhatIsNoFilter) {
  EXPECT_EQ(Refusal("= 1"), "filter, at 1: the name of a field is expected");
  EXPECT_EQ(Refusal("customer"), "filter, at 9: one of = != < <= > >= is expected");
  EXPECT_EQ(Refusal("customer : \"a\""), "filter, at 10: one of = != < <= > >= is expected");
  EXPECT_EQ(Refusal("customer = "), "filter, at 12: a value is expected");
  EXPECT_EQ(Refusal("customer == \"a\""), "filter, at 11: a value is expected");
  EXPECT_EQ(Refusal("customer = \"a"), "filter, at 12: the text that begins here does not end");
  EXPECT_EQ(Refusal("customer = \"a\\"), "filter, at 14: \\ stands before a quote or another \\ only");
  EXPECT_EQ(Refusal("customer = \"\\n\""), "filter, at 13: \\ stands before a quote or another \\ only");
  EXPECT_EQ(Refusal("customer = \"a\" OR paid = true"), "filter, at 16: AND, or the end, is expected");
  EXPECT_EQ(Refusal("customer = \"a\" and paid = true"), "filter, at 16: AND, or the end, is expected");
  EXPECT_EQ(Refusal("customer = \"a\" AND "), "filter, at 20: a condition is expected behind AND");
  EXPECT_EQ(Refusal("(customer = \"a\")"), "filter, at 1: the name of a field is expected");
  EXPECT_EQ(Refusal("NOT paid = true"),
            "filter, at 1: there is no field \"NOT\" to filter by; there are: id, customer, placed_at, total.minor, "
            "kind, paid, weight, mark");
}

// The row holds the float's 0.1, which is another number than a double's.
TEST(ListFilter, RoundsNumbersToAFloatWhereTheFieldIsOne) {
  ReadModelSchema schema = OrderRowSchema();
  schema.columns[6].meaning = ColumnMeaning::kFloat;
  const auto value = [&schema](const std::string& filter) {
    const auto conditions = ParseFilter(schema, filter);
    EXPECT_TRUE(conditions.ok()) << conditions.status();
    return std::get<double>((*conditions)[0].value);
  };
  EXPECT_EQ(value("weight = 0.1"), double{0.1f});
  EXPECT_NE(value("weight = 0.1"), 0.1);
  EXPECT_EQ(value("weight >= 16777217"), 16777216.0);
  EXPECT_THAT(std::string(ParseFilter(schema, "weight < 1e39").status().message()),
              HasSubstr("\"1e39\" is no value of weight; write a number that a float can hold, without quotes"));
}

TEST(ListFilter, NamesTheFieldsThatThereAre) {
  const std::string there_are =
      " to filter by; there are: id, customer, placed_at, total.minor, kind, paid, weight, mark";
  EXPECT_EQ(Refusal("secret = \"a\""), "filter, at 1: there is no field \"secret\"" + there_are);
  EXPECT_EQ(Refusal("id = \"a\" AND total_minor = 1"), "filter, at 14: there is no field \"total_minor\"" + there_are);
  EXPECT_EQ(Refusal("rowid = 1"), "filter, at 1: there is no field \"rowid\"" + there_are);
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(FindDetail(ParseFilter(kSchema, "paid = true AND x = 1").status(), info));
  EXPECT_EQ(info.metadata().at("position"), "17");
  EXPECT_EQ(info.metadata().at("field"), "filter");
}

TEST(ListFilter, RefusesValuesOfAnotherType) {
  EXPECT_EQ(Refusal("customer = a"), "filter, at 12: \"a\" is no value of customer; write a text, between quotes");
  EXPECT_EQ(Refusal("total.minor = \"1\""),
            "filter, at 15: \"1\" is no value of total.minor; write a whole number of at most 64 bits, without quotes");
  EXPECT_THAT(Refusal("total.minor = 1.5"), HasSubstr("\"1.5\" is no value of total.minor"));
  EXPECT_THAT(Refusal("total.minor = 9223372036854775808"), HasSubstr("is no value of total.minor"));
  EXPECT_THAT(Refusal("total.minor = +1"), HasSubstr("is no value of total.minor"));
  EXPECT_EQ(Refusal("paid = 1"), "filter, at 8: \"1\" is no value of paid; write true or false");
  EXPECT_EQ(Refusal("kind = TYPE_NONE"),
            "filter, at 8: \"TYPE_NONE\" is no value of kind; write the name of a value of "
            "google.protobuf.Field.Kind, without quotes");
  EXPECT_THAT(Refusal("kind = 8"), HasSubstr("\"8\" is no value of kind"));  // TYPE_BOOL
  EXPECT_THAT(Refusal("kind = \"TYPE_BOOL\""), HasSubstr("is no value of kind"));
  EXPECT_THAT(Refusal("weight = nan"), HasSubstr("\"nan\" is no value of weight; write a number, without quotes"));
  EXPECT_THAT(Refusal("weight = inf"), HasSubstr("is no value of weight"));
  EXPECT_THAT(Refusal("weight = 1e999"), HasSubstr("is no value of weight"));
  EXPECT_THAT(Refusal("mark = \"%%\""), HasSubstr("\"%%\" is no value of mark; write bytes in base64, between quotes"));
  for (const char* time : {"2026-01-31", "\"2026-01-31 08:00:00Z\"", "2026-13-31T08:00:00Z", "infinite-future",
                           "2026-02-30T08:00:00Z", "2026-01-31T08:00:00.1234567891Z", "99999-01-01T00:00:00Z",
                           "\" 2026-01-31T08:00:00Z\"", "0000-01-01T00:00:00Z"}) {
    EXPECT_THAT(
        Refusal(std::string("placed_at < ") + time),
        HasSubstr("is no value of placed_at; write a time as RFC 3339 has it, such as \"2026-01-31T08:00:00Z\""))
        << time;
  }
}

TEST(ListFilter, NamesAndTruthHaveNoOrder) {
  EXPECT_EQ(Refusal("kind < TYPE_BOOL"), "filter, at 6: kind compares by = and != only");
  EXPECT_EQ(Refusal("paid >= true"), "filter, at 6: paid compares by = and != only");
}

TEST(ListFilter, ShowsHostileTextEscapedAndNotAllOfIt) {
  const std::string refusal = Refusal("customer = \"a\" AND \x1b[31m");
  EXPECT_EQ(refusal.find('\x1b'), std::string::npos);
  EXPECT_LT(Refusal("total.minor = " + std::string(3000, 'x')).size(), 300u);
}

TEST(ListFilter, HasABoundedSizeAndABoundedNumberOfConditions) {
  std::string filter = "id = \"" + std::string(kMaxListTextBytes - 7, 'x') + "\"";
  ASSERT_EQ(filter.size(), kMaxListTextBytes);
  EXPECT_TRUE(ParseFilter(kSchema, filter).ok());
  const absl::Status too_long = ParseFilter(kSchema, filter + " ").status();
  EXPECT_EQ(ReasonOf(too_long), reason::kLimitExceeded);
  EXPECT_EQ(too_long.message(), "filter has 4097 bytes; at most 4096 are taken");

  filter = "id='a'";
  for (std::size_t i = 1; i < kMaxConditions; ++i) filter += " AND id='a'";
  EXPECT_EQ(Parsed(filter).size(), kMaxConditions);
  const absl::Status too_many = ParseFilter(kSchema, filter + " AND id='a'").status();
  EXPECT_EQ(too_many.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(too_many), reason::kLimitExceeded);
  EXPECT_EQ(too_many.message(), "filter has more than 50 conditions");
}

}  // namespace
}  // namespace everfold
