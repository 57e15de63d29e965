// Rules that do not fit their fields, or that no value can keep.
#include <gtest/gtest.h>

#include "absl/strings/str_format.h"
#include "tests/codegen/misuse.h"

namespace everfold::codegen {
namespace {

// The error for one field, on line 8, of a plain value.
std::string ErrorOfField(const std::string& field, const std::string& rules) {
  return ErrorOf(
      absl::StrFormat("%smessage Value {\n %s = 1 [(everfold.v1.field).rules = {%s}];\n}\n"
                      "enum Color { NONE = 0; }\n",
                      kWallet, field, rules));
}

TEST(RuleMisuseTest, FitsTheFieldsType) {
  EXPECT_EQ(ErrorOfField("string name", "int64: {gt: 0}"),
            "bad.proto:8: name is string, which int64 rules do not fit; write `string`");
  EXPECT_EQ(ErrorOfField("int64 n", "int32: {gt: 0}"),
            "bad.proto:8: n is int64, which int32 rules do not fit; write `int64`");
  EXPECT_EQ(ErrorOfField("float n", "int32: {gt: 0}"),
            "bad.proto:8: n is float, which int32 rules do not fit; write `double`");
  EXPECT_EQ(ErrorOfField("bytes n", "string: {len: 1}"),
            "bad.proto:8: n is bytes, which string rules do not fit; write `bytes`");
  EXPECT_EQ(ErrorOfField("Color c", "int32: {gt: 0}"),
            "bad.proto:8: c is enum, which int32 rules do not fit; write `enum`");
  EXPECT_EQ(ErrorOfField("bool b", "int32: {gt: 0}"),
            "bad.proto:8: b is bool, which int32 rules do not fit; write `bool`");
  EXPECT_EQ(ErrorOfField("Value v", "string: {len: 1}"),
            "bad.proto:8: v is message, which string rules do not fit; the only rule for a message is `required`");
}

TEST(RuleMisuseTest, FitsRepeatedFieldsAndMaps) {
  EXPECT_EQ(ErrorOfField("repeated string tags", "string: {len: 1}"),
            "bad.proto:8: tags is repeated string, which string rules do not fit; write `repeated.items.string`");
  EXPECT_EQ(
      ErrorOfField("repeated string tags", "repeated: {items: {int64: {gt: 1}}}"),
      "bad.proto:8: tags has items of the type string, which int64 rules do not fit; write `repeated.items.string`");
  EXPECT_EQ(ErrorOfField("repeated Value values", "repeated: {items: {int64: {gt: 1}}}"),
            "bad.proto:8: values has items of the type message, which int64 rules do not fit; put rules on the fields "
            "of Value");
  EXPECT_EQ(ErrorOfField("map<string, string> labels", "repeated: {min_items: 1}"),
            "bad.proto:8: labels is a map, which repeated rules do not fit; write `map`");
  EXPECT_EQ(ErrorOfField("string name", "repeated: {min_items: 1}"),
            "bad.proto:8: name is string, which repeated rules do not fit; write `string`");
  EXPECT_EQ(ErrorOfField("repeated string tags", "repeated: {items: {required: true}}"),
            "bad.proto:8: tags has `required` items, which say nothing; ask for a minimum length or value");
}

TEST(RuleMisuseTest, HasOneBoundOnEachSide) {
  EXPECT_EQ(ErrorOfField("int64 n", "int64: {gt: 0, gte: 1}"), "bad.proto:8: n has both gt and gte; keep one");
  EXPECT_EQ(ErrorOfField("double n", "double: {lt: 0, lte: 1}"), "bad.proto:8: n has both lt and lte; keep one");
}

class ImpossibleBoundsTest : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(ImpossibleBoundsTest, AreRefused) {
  const auto& [field, rules] = GetParam();
  EXPECT_EQ(ErrorOfField(field, rules),
            "bad.proto:8: n has bounds that no value can keep; the lower one must be below the upper one");
}

INSTANTIATE_TEST_SUITE_P(
    Bounds, ImpossibleBoundsTest,
    testing::Values(std::pair("int64 n", "int64: {gt: 5, lt: 5}"), std::pair("int64 n", "int64: {gt: 5, lt: 6}"),
                    std::pair("int64 n", "int64: {gt: 5, lte: 5}"),
                    std::pair("int64 n", "int64: {gt: 9223372036854775807}"), std::pair("uint32 n", "uint32: {lt: 0}"),
                    std::pair("sint32 n", "int32: {gte: 2, lt: 2}"),
                    std::pair("double n", "double: {gt: 1.5, lte: 1.5}"), std::pair("float n", "double: {gt: inf}"),
                    std::pair("int64 n", "int64: {gt: 9223372036854775807, lt: -9223372036854775808}"),
                    std::pair("google.protobuf.Timestamp n", "timestamp: {gt: {seconds: 5}, lte: {seconds: 5}}"),
                    std::pair("google.protobuf.Duration n", "duration: {gte: {seconds: 5}, lt: {seconds: 5}}")));

TEST(RuleMisuseTest, AcceptsBoundsThatMeet) {
  EXPECT_EQ(ErrorOfField("int64 n", "int64: {gte: 5, lte: 5}"), "");
  EXPECT_EQ(ErrorOfField("int64 n", "int64: {gt: 5, lt: 7}"), "");
  EXPECT_EQ(ErrorOfField("double n", "double: {gt: -inf, lt: inf}"), "");
}

TEST(RuleMisuseTest, AcceptsBoundsThatAskOutside) {
  EXPECT_EQ(ErrorOfField("int64 n", "int64: {gt: 10, lt: 5}"), "");
  EXPECT_EQ(ErrorOfField("uint32 n", "uint32: {gt: 10, lt: 0}"), "");
  EXPECT_EQ(ErrorOfField("google.protobuf.Duration n", "duration: {gte: {seconds: 9}, lte: {seconds: 5}}"), "");
}

TEST(RuleMisuseTest, HasNumbersAsBounds) {
  EXPECT_EQ(ErrorOfField("double n", "double: {gt: nan}"),
            "bad.proto:8: n has a rule with a value that is not a number; write a number");
  EXPECT_EQ(ErrorOfField("double n", "double: {in: [1, nan]}"),
            "bad.proto:8: n has a rule with a value that is not a number; write a number");
  EXPECT_EQ(ErrorOfField("double n", "double: {lt: 1e300}"), "");
  EXPECT_EQ(ErrorOfField("float n", "double: {lt: 1e300}"),
            "bad.proto:8: n has a rule with a number that no float can hold; write one between -3.4e38 and 3.4e38");
}

TEST(RuleMisuseTest, SaysSomething) {
  EXPECT_EQ(ErrorOfField("int32 n", "int32: {in: []}"),
            "bad.proto:8: n has `int32` without a rule (an empty list is none); write one, or remove it");
  EXPECT_EQ(ErrorOfField("repeated int32 n", "repeated: {items: {int32: {in: []}}}"),
            "bad.proto:8: n has `repeated.items` without a rule (an empty list is none); write one, or remove it");
  EXPECT_EQ(ErrorOfField("map<int32, string> n", "map: {keys: {}}"),
            "bad.proto:8: n has `map.keys` without a rule (an empty list is none); write one, or remove it");
  EXPECT_EQ(ErrorOfField("string s", "string: {prefix: \"\"}"),
            "bad.proto:8: s has an empty `prefix`, which is in every value; write a text, or remove it");
  EXPECT_EQ(ErrorOfField("string s", "string: {not_contains: \"\"}"),
            "bad.proto:8: s has an empty `not_contains`, which is in every value; write a text, or remove it");
}

TEST(RuleMisuseTest, HasConstAlone) {
  EXPECT_EQ(ErrorOfField("int32 n", "int32: {const: 1, gt: 0}"),
            "bad.proto:8: n has const together with other rules; keep one or the others");
  EXPECT_EQ(ErrorOfField("string s", "string: {const: \"a\", max_len: 3}"),
            "bad.proto:8: s has const together with other rules; keep one or the others");
  EXPECT_EQ(ErrorOfField("Color c", "enum: {const: 0, defined_only: true}"),
            "bad.proto:8: c has const together with other rules; keep one or the others");
}

TEST(RuleMisuseTest, HasListsThatAgree) {
  EXPECT_EQ(ErrorOfField("int32 n", "int32: {in: [1, 2], not_in: [2]}"),
            "bad.proto:8: n has 2 both in `in` and in `not_in`; remove one");
  EXPECT_EQ(ErrorOfField("bytes b", "bytes: {in: \"a\", not_in: \"a\"}"),
            "bad.proto:8: b has \"a\" both in `in` and in `not_in`; remove one");
  EXPECT_EQ(ErrorOfField("google.protobuf.Duration d", "duration: {in: {seconds: 1}, not_in: {seconds: 1}}"),
            "bad.proto:8: d has 1s both in `in` and in `not_in`; remove one");
}

TEST(RuleMisuseTest, HasTimesThatThereAre) {
  EXPECT_EQ(
      ErrorOfField("google.protobuf.Timestamp t", "timestamp: {lt: {nanos: -1}}"),
      "bad.proto:8: t has a rule with an invalid google.protobuf.Timestamp; see its definition for what it may be");
  EXPECT_EQ(
      ErrorOfField("google.protobuf.Duration d", "duration: {const: {seconds: 1, nanos: -1}}"),
      "bad.proto:8: d has a rule with an invalid google.protobuf.Duration; see its definition for what it may be");
  EXPECT_EQ(ErrorOfField("google.protobuf.Timestamp t", "timestamp: {lt_now: true, lte: {}}"),
            "bad.proto:8: t has lt_now with lt or lte; keep one");
  EXPECT_EQ(ErrorOfField("google.protobuf.Timestamp t", "timestamp: {gt_now: true, gt: {}}"),
            "bad.proto:8: t has gt_now with gt or gte; keep one");
  EXPECT_EQ(ErrorOfField("google.protobuf.Timestamp t", "timestamp: {lt_now: true, gt_now: true}"),
            "bad.proto:8: t has both lt_now and gt_now; keep one");
  EXPECT_EQ(ErrorOfField("google.protobuf.Timestamp t", "timestamp: {within: {seconds: -1}}"),
            "bad.proto:8: t has `within` without a time to be within; write a positive google.protobuf.Duration");
}

TEST(RuleMisuseTest, FitsKeysAndValues) {
  EXPECT_EQ(ErrorOfField("map<string, int32> m", "map: {keys: {int32: {gt: 0}}}"),
            "bad.proto:8: m has keys of the type string, which int32 rules do not fit; write `map.keys.string`");
  EXPECT_EQ(ErrorOfField("map<string, Value> m", "map: {values: {int32: {gt: 0}}}"),
            "bad.proto:8: m has values of the type message, which int32 rules do not fit; put rules on the fields of "
            "Value");
  EXPECT_EQ(ErrorOfField("map<string, int32> m", "map: {values: {int32: {gt: 3, gte: 4}}}"),
            "bad.proto:8: m has both gt and gte; keep one");
  EXPECT_EQ(ErrorOfField("map<string, int32> m", "map: {min_pairs: 3, max_pairs: 2}"),
            "bad.proto:8: m has min_pairs 3 above max_pairs 2; exchange them");
  EXPECT_EQ(ErrorOfField("int32 n", "map: {min_pairs: 3}"),
            "bad.proto:8: n is int32, which map rules do not fit; write `int32`");
}

TEST(RuleMisuseTest, ComparesScalarsOnly) {
  EXPECT_EQ(ErrorOfField("repeated Value v", "repeated: {unique: true}"),
            "bad.proto:8: v asks for `unique` messages, which cannot be compared; remove it, or use a scalar");
  EXPECT_EQ(ErrorOfField("repeated double v", "repeated: {unique: true}"), "");
}

TEST(RuleMisuseTest, HasOneofRulesWhereTheyAreChecked) {
  EXPECT_EQ(ErrorOf(kWallet + "message Opened { option (everfold.v1.message).event = {};\n"
                              "oneof way { option (everfold.v1.oneof).required = true; string card = 1; } }\n"),
            "bad.proto:8: way has a rule, but Opened is an event, which is never checked; put rules on commands and on "
            "the values in them");
}

TEST(RuleMisuseTest, HasLengthsThatAgree) {
  EXPECT_EQ(ErrorOfField("string s", "string: {len_bytes: 3, min_bytes: 2}"),
            "bad.proto:8: s has len_bytes together with min_bytes or max_bytes; keep one or the other");
  EXPECT_EQ(ErrorOfField("string s", "string: {min_bytes: 3, max_bytes: 2}"),
            "bad.proto:8: s has min_bytes 3 above max_bytes 2; exchange them");
  EXPECT_EQ(ErrorOfField("string s", "string: {len: 3, min_len: 2}"),
            "bad.proto:8: s has len together with min_len or max_len; keep one or the other");
  EXPECT_EQ(ErrorOfField("string s", "string: {min_len: 3, max_len: 2}"),
            "bad.proto:8: s has min_len 3 above max_len 2; exchange them");
  EXPECT_EQ(ErrorOfField("bytes b", "bytes: {min_len: 3, max_len: 2}"),
            "bad.proto:8: b has min_len 3 above max_len 2; exchange them");
  EXPECT_EQ(ErrorOfField("repeated string s", "repeated: {min_items: 3, max_items: 2}"),
            "bad.proto:8: s has min_items 3 above max_items 2; exchange them");
  EXPECT_EQ(ErrorOfField("repeated string s", "repeated: {min_items: 2147483648}"),
            "bad.proto:8: s has min_items 2147483648, more than a field can hold; write a smaller number");
}

TEST(RuleMisuseTest, HasAPatternThatRe2Takes) {
  EXPECT_EQ(ErrorOfField("bytes b", "bytes: {pattern: \"(\"}"),
            "bad.proto:8: b has the pattern '(', which RE2 refuses (missing ): (); correct it "
            "(https://github.com/google/re2/wiki/Syntax)");
  EXPECT_EQ(ErrorOfField("string s", "string: {pattern: \"[a-\"}"),
            "bad.proto:8: s has the pattern '[a-', which RE2 refuses (missing ]: [a-); correct it "
            "(https://github.com/google/re2/wiki/Syntax)");
}

TEST(RuleMisuseTest, IsToldOfValuesInOtherFilesToo) {
  const Files files = {{"value.proto",
                        "syntax = \"proto3\";\n"
                        "import \"everfold/v1/options.proto\";\n"
                        "message Value {\n"
                        "  string name = 1 [(everfold.v1.field).rules.int64.gt = 0];\n"
                        "}\n"},
                       {"bad.proto", BadFile("import \"value.proto\";\n" + kWallet +
                                             "message Close { option (everfold.v1.message).command = {};\n"
                                             "  string id = 1 [(everfold.v1.field).id = true];\n"
                                             "  repeated Value values = 2;\n"
                                             "}\n")}};
  EXPECT_EQ(RunGenerator("bad.proto", "pass=cpp", files).error,
            "value.proto:4: name is string, which int64 rules do not fit; write `string`");
}

}  // namespace
}  // namespace everfold::codegen
