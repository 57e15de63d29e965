// What each rule asks, one at a time.
#include <gmock/gmock.h>

#include <limits>

#include "everfold/base/timestamp.h"
#include "rules/v1/rules.everfold.h"

namespace everfold {
namespace {

using rules::v1::Check;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kNow = 1000;  // seconds since 1970

template <class C>
std::vector<Violation> ViolationsOf(const C& command) {
  Violations violations;
  CommandTraits<C>::Validate(command, absl::FromUnixSeconds(kNow), violations);
  return violations.kept();
}

google::protobuf::Timestamp Time(std::int64_t seconds, int nanos = 0) {
  google::protobuf::Timestamp time;
  time.set_seconds(seconds);
  time.set_nanos(nanos);
  return time;
}

google::protobuf::Duration Length(std::int64_t seconds, int nanos = 0) {
  google::protobuf::Duration length;
  length.set_seconds(seconds);
  length.set_nanos(nanos);
  return length;
}

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// One change to a command that keeps every rule.
using Change = void (*)(Check& c);

struct Broken {
  Change change;
  Violation expected;
};

TEST(RulesTest, AreKeptByFieldsThatAreNotSet) { EXPECT_THAT(ViolationsOf(Check()), IsEmpty()); }

class KeptTest : public testing::TestWithParam<Change> {};

TEST_P(KeptTest, HasNoViolation) {
  Check command;
  GetParam()(command);
  EXPECT_THAT(ViolationsOf(command), IsEmpty());
}

class BrokenTest : public testing::TestWithParam<Broken> {};

TEST_P(BrokenTest, HasOneViolation) {
  Check command;
  GetParam().change(command);
  EXPECT_THAT(ViolationsOf(command), ElementsAre(GetParam().expected));
}

INSTANTIATE_TEST_SUITE_P(
    Numbers, KeptTest,
    testing::Values([](Check& c) { c.set_int32_const(-3); }, [](Check& c) { c.set_sint32_not_in(0); },
                    [](Check& c) { c.set_sfixed32_in(2); },
                    [](Check& c) { c.set_int64_const(std::numeric_limits<std::int64_t>::min()); },
                    [](Check& c) { c.set_sfixed64_not_in(6); }, [](Check& c) { c.set_uint32_const(4294967295u); },
                    [](Check& c) { c.set_fixed64_not_in(0); }, [](Check& c) { c.set_float_const(0.1f); },
                    [](Check& c) { c.set_float_lte(0.1f); }, [](Check& c) { c.set_float_finite(1); },
                    [](Check& c) { c.set_double_in(0.1); }, [](Check& c) { c.set_double_not_in(kNan); },
                    [](Check& c) { c.set_double_finite(-1e308); }, [](Check& c) { c.set_bool_true(true); },
                    [](Check& c) { c.set_bool_false(false); }, [](Check& c) { c.set_outside(11); },
                    [](Check& c) { c.set_outside(4); }, [](Check& c) { c.set_outside_or_at(10); },
                    [](Check& c) { c.set_outside_or_at(5); }, [](Check& c) { c.set_only_above(10); },
                    [](Check& c) { c.set_outside_double(-1); }));

INSTANTIATE_TEST_SUITE_P(
    Numbers, BrokenTest,
    testing::Values(
        Broken{[](Check& c) { c.set_int32_const(3); }, {"int32_const", "int32.const", "must be -3, is 3"}},
        Broken{[](Check& c) { c.set_sint32_not_in(-2); },
               {"sint32_not_in", "sint32.not_in", "must be none of 1, -2, is -2"}},
        Broken{[](Check& c) { c.set_sfixed32_in(0); }, {"sfixed32_in", "sfixed32.in", "must be one of 1, 2, is 0"}},
        Broken{[](Check& c) { c.set_int64_const(0); },
               {"int64_const", "int64.const", "must be -9223372036854775808, is 0"}},
        Broken{[](Check& c) { c.set_sfixed64_not_in(5); },
               {"sfixed64_not_in", "sfixed64.not_in", "must be none of 5, is 5"}},
        Broken{[](Check& c) { c.set_uint32_const(0); }, {"uint32_const", "uint32.const", "must be 4294967295, is 0"}},
        Broken{[](Check& c) { c.set_fixed64_not_in(std::numeric_limits<std::uint64_t>::max()); },
               {"fixed64_not_in", "fixed64.not_in", "must be none of 18446744073709551615, is 18446744073709551615"}},
        Broken{[](Check& c) { c.set_float_const(0.2f); }, {"float_const", "float.const", "must be 0.1, is 0.2"}},
        Broken{[](Check& c) { c.set_float_lte(0.2f); }, {"float_lte", "float.lte", "must be at most 0.1, is 0.2"}},
        Broken{[](Check& c) { c.set_float_finite(static_cast<float>(kInfinity)); },
               {"float_finite", "float.finite", "must be finite, is inf"}},
        Broken{[](Check& c) { c.set_double_in(0.3); }, {"double_in", "double.in", "must be one of 0.1, 2, is 0.3"}},
        Broken{[](Check& c) { c.set_double_in(kNan); }, {"double_in", "double.in", "must be one of 0.1, 2, is nan"}},
        Broken{[](Check& c) { c.set_double_not_in(1e300); },
               {"double_not_in", "double.not_in", "must be none of 1e+300, is 1e+300"}},
        Broken{[](Check& c) { c.set_double_finite(kNan); },
               {"double_finite", "double.finite", "must be finite, is nan"}},
        Broken{[](Check& c) { c.set_bool_true(false); }, {"bool_true", "bool.const", "must be true, is false"}},
        Broken{[](Check& c) { c.set_bool_false(true); }, {"bool_false", "bool.const", "must be false, is true"}},
        Broken{[](Check& c) { c.set_outside(10); },
               {"outside", "int32.gt_lt_exclusive", "must be greater than 10 or less than 5, is 10"}},
        Broken{[](Check& c) { c.set_outside(5); },
               {"outside", "int32.gt_lt_exclusive", "must be greater than 10 or less than 5, is 5"}},
        Broken{[](Check& c) { c.set_outside_or_at(7); },
               {"outside_or_at", "uint64.gte_lte_exclusive", "must be at least 10 or at most 5, is 7"}},
        Broken{[](Check& c) { c.set_only_above(0); },
               {"only_above", "uint32.gte_lt_exclusive", "must be at least 10 or less than 0, is 0"}},
        Broken{[](Check& c) { c.set_outside_double(kNan); },
               {"outside_double", "double.gt_lte_exclusive", "must be greater than 1 or at most -1, is nan"}}));

INSTANTIATE_TEST_SUITE_P(
    Texts, KeptTest,
    testing::Values(
        [](Check& c) { c.set_string_const("a\"b"); }, [](Check& c) { c.set_string_not_in("b"); },
        [](Check& c) { c.set_len_bytes("\xc3\xa4"); }, [](Check& c) { c.set_min_bytes("\xc3\xa4x"); },
        [](Check& c) { c.set_max_bytes("abc"); }, [](Check& c) { c.set_prefix("a b"); },
        [](Check& c) { c.set_suffix("x.eu"); }, [](Check& c) { c.set_contains("a@b"); },
        [](Check& c) { c.set_not_contains("a@b"); }, [](Check& c) { c.set_bytes_const(std::string("\0\1", 2)); },
        [](Check& c) { c.set_bytes_in(std::string(1, '\0')); }, [](Check& c) { c.set_bytes_not_in("\1"); },
        [](Check& c) { c.set_bytes_prefix(std::string("\0\1\2", 3)); }, [](Check& c) { c.set_bytes_suffix("a\xff"); },
        [](Check& c) { c.set_bytes_contains(std::string("a\0b", 3)); }, [](Check& c) { c.set_bytes_pattern("abc"); }));

INSTANTIATE_TEST_SUITE_P(
    Texts, BrokenTest,
    testing::Values(Broken{[](Check& c) { c.set_string_const("a"); },
                           {"string_const", "string.const", "must be \"a\\\"b\", is \"a\""}},
                    Broken{[](Check& c) { c.set_string_not_in(std::string("b\0c", 3)); },
                           {"string_not_in", "string.not_in", "must be none of \"a\", \"b\\000c\", is \"b\\000c\""}},
                    Broken{[](Check& c) { c.set_len_bytes("\xc3\xa4x"); },
                           {"len_bytes", "string.len_bytes", "must have exactly 2 bytes, has 3"}},
                    Broken{[](Check& c) { c.set_min_bytes("\xc3\xa4"); },
                           {"min_bytes", "string.min_bytes", "must have at least 3 bytes, has 2"}},
                    Broken{[](Check& c) { c.set_max_bytes("\xc3\xa4\xc3\xa4"); },
                           {"max_bytes", "string.max_bytes", "must have at most 3 bytes, has 4"}},
                    Broken{[](Check& c) { c.set_prefix("xa b"); },
                           {"prefix", "string.prefix", "must begin with \"a b\", is \"xa b\""}},
                    Broken{[](Check& c) { c.set_suffix(".eu."); },
                           {"suffix", "string.suffix", "must end with \".eu\", is \".eu.\""}},
                    Broken{[](Check& c) { c.set_contains("a"); },
                           {"contains", "string.contains", "must contain \"@\", is \"a\""}},
                    Broken{[](Check& c) { c.set_not_contains("a b"); },
                           {"not_contains", "string.not_contains", "must not contain \" \", is \"a b\""}},
                    Broken{[](Check& c) { c.set_bytes_const(std::string(1, '\0')); },
                           {"bytes_const", "bytes.const", "must be \"\\000\\001\", is \"\\000\""}},
                    Broken{[](Check& c) { c.set_bytes_in(""); },
                           {"bytes_in", "bytes.in", "must be one of \"\\000\", \"\\377\", is \"\""}},
                    Broken{[](Check& c) { c.set_bytes_not_in(std::string(1, '\0')); },
                           {"bytes_not_in", "bytes.not_in", "must be none of \"\\000\", is \"\\000\""}},
                    Broken{[](Check& c) { c.set_bytes_prefix("\1"); },
                           {"bytes_prefix", "bytes.prefix", "must begin with \"\\000\\001\", is \"\\001\""}},
                    Broken{[](Check& c) { c.set_bytes_suffix("a"); },
                           {"bytes_suffix", "bytes.suffix", "must end with \"\\377\", is \"a\""}},
                    Broken{[](Check& c) { c.set_bytes_contains("a"); },
                           {"bytes_contains", "bytes.contains", "must contain \"\\000\", is \"a\""}},
                    Broken{[](Check& c) { c.set_bytes_pattern("ab1"); },
                           {"bytes_pattern", "bytes.pattern", "must match \"^[a-z]+$\", is \"ab1\""}}));

INSTANTIATE_TEST_SUITE_P(Enums, BrokenTest,
                         testing::Values(Broken{[](Check& c) { c.set_enum_const(rules::v1::COLOR_BLUE); },
                                                {"enum_const", "enum.const", "must be COLOR_RED, is COLOR_BLUE"}},
                                         Broken{[](Check& c) { c.set_enum_not_in(rules::v1::COLOR_BLUE); },
                                                {"enum_not_in", "enum.not_in",
                                                 "must be none of COLOR_UNSPECIFIED, COLOR_BLUE, is COLOR_BLUE"}}));

INSTANTIATE_TEST_SUITE_P(Times, KeptTest,
                         testing::Values([](Check& c) { *c.mutable_time_const() = Time(-1, 5); },
                                         [](Check& c) { *c.mutable_time_bounds() = Time(10); },
                                         [](Check& c) { *c.mutable_time_bounds() = Time(19, 999'999'999); },
                                         // As in protovalidate, now itself is neither before nor after it.
                                         [](Check& c) { *c.mutable_past() = Time(kNow); },
                                         [](Check& c) { *c.mutable_future() = Time(kNow); },
                                         [](Check& c) { *c.mutable_recent() = Time(kNow - 60); },
                                         [](Check& c) { *c.mutable_needed_at() = Time(2'000'000'000); },
                                         [](Check& c) { *c.mutable_duration_const() = Length(5); },
                                         [](Check& c) { *c.mutable_duration_bounds() = Length(1, 500'000'000); },
                                         [](Check& c) { *c.mutable_duration_outside() = Length(2); },
                                         [](Check& c) { *c.mutable_duration_outside() = Length(10); },
                                         [](Check& c) { *c.mutable_duration_in() = Length(0, -1); },
                                         [](Check& c) { *c.mutable_duration_not_in() = Length(61); },
                                         [](Check& c) { *c.mutable_reading()->mutable_taken_at() = Time(kNow); }));

INSTANTIATE_TEST_SUITE_P(
    Times, BrokenTest,
    testing::Values(
        Broken{[](Check& c) { *c.mutable_time_const() = Time(0); },
               {"time_const", "timestamp.const",
                "must be 1969-12-31T23:59:59.000000005+00:00, is 1970-01-01T00:00:00+00:00"}},
        Broken{[](Check& c) { *c.mutable_time_bounds() = Time(20); },
               {"time_bounds", "timestamp.gte_lt",
                "must be at least 1970-01-01T00:00:10+00:00 and less than 1970-01-01T00:00:20+00:00, is "
                "1970-01-01T00:00:20+00:00"}},
        Broken{[](Check& c) { *c.mutable_past() = Time(kNow, 1); },
               {"past", "timestamp.lt_now", "must not be after now, is 1970-01-01T00:16:40.000000001+00:00"}},
        Broken{[](Check& c) { *c.mutable_future() = Time(kNow - 1); },
               {"future", "timestamp.gt_now", "must not be before now, is 1970-01-01T00:16:39+00:00"}},
        Broken{[](Check& c) { *c.mutable_recent() = Time(kNow - 61); },
               {"recent", "timestamp.within", "must be within 1m of now, is 1970-01-01T00:15:39+00:00"}},
        Broken{[](Check& c) { *c.mutable_recent() = Time(kNow + 60); },
               {"recent", "timestamp.lt_now", "must not be after now, is 1970-01-01T00:17:40+00:00"}},
        Broken{[](Check& c) { *c.mutable_reading()->mutable_taken_at() = Time(kNow + 1); },
               {"reading.taken_at", "timestamp.lt_now", "must not be after now, is 1970-01-01T00:16:41+00:00"}},
        Broken{
            [](Check& c) { *c.mutable_needed_at() = Time(2'000'000'001); },
            {"needed_at", "timestamp.lte", "must be at most 2033-05-18T03:33:20+00:00, is 2033-05-18T03:33:21+00:00"}},
        Broken{[](Check& c) { *c.mutable_duration_const() = Length(4); },
               {"duration_const", "duration.const", "must be 5s, is 4s"}},
        Broken{[](Check& c) { *c.mutable_duration_bounds() = Length(0); },
               {"duration_bounds", "duration.gt_lte", "must be greater than 0 and at most 1.5s, is 0"}},
        Broken{[](Check& c) { *c.mutable_duration_outside() = Length(3); },
               {"duration_outside", "duration.gt_lt_exclusive", "must be greater than 9s or less than 3s, is 3s"}},
        Broken{[](Check& c) { *c.mutable_duration_in() = Length(2); },
               {"duration_in", "duration.in", "must be one of 1s, -1ns, is 2s"}},
        Broken{[](Check& c) { *c.mutable_duration_not_in() = Length(60); },
               {"duration_not_in", "duration.not_in", "must be none of 1m, is 1m"}}));

INSTANTIATE_TEST_SUITE_P(Many, KeptTest,
                         testing::Values([](Check& c) { c.add_unique_numbers(1), c.add_unique_numbers(2); },
                                         [](Check& c) { c.add_unique_doubles(kNan), c.add_unique_doubles(kNan); },
                                         [](Check& c) { c.add_true_only(true); },
                                         [](Check& c) { *c.add_past_times() = Time(1); },
                                         [](Check& c) { (*c.mutable_max_pairs())["a"] = 1; },
                                         [](Check& c) { (*c.mutable_text_keys())["abc"] = 1; },
                                         [](Check& c) { (*c.mutable_number_keys())[0] = Length(60); },
                                         [](Check& c) { (*c.mutable_readings())[true].set_level(0); },
                                         [](Check& c) { c.mutable_choice()->set_number(0); }));

INSTANTIATE_TEST_SUITE_P(
    Many, BrokenTest,
    testing::Values(
        Broken{[](Check& c) { c.add_unique_numbers(1), c.add_unique_numbers(2), c.add_unique_numbers(1); },
               {"unique_numbers", "repeated.unique", "must have no item twice, has one again at 2"}},
        Broken{[](Check& c) { c.add_unique_texts("a"), c.add_unique_texts("a"); },
               {"unique_texts", "repeated.unique", "must have no item twice, has one again at 1"}},
        Broken{[](Check& c) { c.add_unique_texts("a"), c.add_unique_texts(""); },
               {"unique_texts[1]", "string.min_len", "must have at least 1 character, has 0"}},
        Broken{[](Check& c) { c.add_unique_colors(rules::v1::COLOR_RED), c.add_unique_colors(rules::v1::COLOR_RED); },
               {"unique_colors", "repeated.unique", "must have no item twice, has one again at 1"}},
        Broken{[](Check& c) { c.add_unique_doubles(0.0), c.add_unique_doubles(-0.0); },
               {"unique_doubles", "repeated.unique", "must have no item twice, has one again at 1"}},
        Broken{[](Check& c) { c.add_true_only(true), c.add_true_only(false); },
               {"true_only[1]", "bool.const", "must be true, is false"}},
        Broken{[](Check& c) { *c.add_past_times() = Time(kNow + 1); },
               {"past_times[0]", "timestamp.lt_now", "must not be after now, is 1970-01-01T00:16:41+00:00"}},
        Broken{[](Check& c) { (*c.mutable_max_pairs())["a"] = 1, (*c.mutable_max_pairs())["b"] = 1; },
               {"max_pairs", "map.max_pairs", "must have at most 1 pair, has 2"}},
        Broken{[](Check& c) { (*c.mutable_text_keys())["ab"] = 1; },
               {"text_keys[\"ab\"]", "string.len", "key must have exactly 3 characters, has 2"}},
        Broken{[](Check& c) { (*c.mutable_text_keys())["abc"] = 0; },
               {"text_keys[\"abc\"]", "int32.gt", "must be greater than 0, is 0"}},
        Broken{[](Check& c) { (*c.mutable_number_keys())[-1]; },
               {"number_keys[-1]", "int64.gte", "key must be at least 0, is -1"}},
        Broken{[](Check& c) { (*c.mutable_number_keys())[1] = Length(61); },
               {"number_keys[1]", "duration.lte", "must be at most 1m, is 1m1s"}},
        Broken{[](Check& c) { (*c.mutable_readings())[false]; },
               {"readings[false]", "bool.const", "key must be true, is false"}},
        Broken{[](Check& c) { (*c.mutable_readings())[true].set_level(-1); },
               {"readings[true].level", "int64.gte", "must be at least 0, is -1"}},
        Broken{[](Check& c) { (*c.mutable_colors())["a"] = static_cast<rules::v1::Color>(7); },
               {"colors[\"a\"]", "enum.defined_only", "must be a declared value of Color, is 7"}},
        Broken{[](Check& c) { c.mutable_choice(); }, {"choice.choice", "required", "must have one of its fields set"}},
        Broken{[](Check& c) { c.mutable_choice()->set_text("a"); },
               {"choice.text", "string.min_len", "must have at least 2 characters, has 1"}}));

TEST(RulesTest, AskForWhatIsNotThere) {
  EXPECT_THAT(ViolationsOf(rules::v1::CheckMore()),
              ElementsAre(Violation{"min_pairs", "map.min_pairs", "must have at least 2 pairs, has 0"},
                          Violation{"at", "required", "must be set"}));
}

TEST(RulesTest, CompareWithTheTimeOfTheCheck) {
  Check command;
  *command.mutable_past() = Time(kNow + 1);
  Violations violations;
  CommandTraits<Check>::Validate(command, absl::FromUnixSeconds(kNow + 1), violations);
  EXPECT_TRUE(violations.empty());
}

}  // namespace
}  // namespace everfold
