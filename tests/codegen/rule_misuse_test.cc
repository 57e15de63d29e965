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
            "bad.proto:8: b is bool, which int32 rules do not fit; the only rule for a bool is `required`");
  EXPECT_EQ(ErrorOfField("Value v", "string: {len: 1}"),
            "bad.proto:8: v is message, which string rules do not fit; the only rule for a message is `required`");
}

TEST(RuleMisuseTest, FitsRepeatedFieldsAndMaps) {
  EXPECT_EQ(ErrorOfField("repeated string tags", "string: {len: 1}"),
            "bad.proto:8: tags is repeated string, which string rules do not fit; write `repeated.items.string`");
  EXPECT_EQ(ErrorOfField("repeated string tags", "repeated: {items: {int64: {gt: 1}}}"),
            "bad.proto:8: tags is repeated string, which int64 rules do not fit; write `repeated.items.string`");
  EXPECT_EQ(ErrorOfField("repeated Value values", "repeated: {items: {int64: {gt: 1}}}"),
            "bad.proto:8: values is repeated message, which int64 rules do not fit; write `repeated` rules");
  EXPECT_EQ(ErrorOfField("map<string, string> labels", "repeated: {min_items: 1}"),
            "bad.proto:8: labels is a map, which repeated rules do not fit; the only rule for a map is `required`");
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
    testing::Values(std::pair("int64 n", "int64: {gt: 10, lt: 5}"), std::pair("int64 n", "int64: {gt: 5, lt: 6}"),
                    std::pair("int64 n", "int64: {gt: 5, lte: 5}"),
                    std::pair("int64 n", "int64: {gt: 9223372036854775807}"), std::pair("uint32 n", "uint32: {lt: 0}"),
                    std::pair("sint32 n", "int32: {gte: 2, lt: 2}"),
                    std::pair("double n", "double: {gt: 1.5, lte: 1.5}"), std::pair("float n", "double: {gt: inf}")));

TEST(RuleMisuseTest, AcceptsBoundsThatMeet) {
  EXPECT_EQ(ErrorOfField("int64 n", "int64: {gte: 5, lte: 5}"), "");
  EXPECT_EQ(ErrorOfField("int64 n", "int64: {gt: 5, lt: 7}"), "");
  EXPECT_EQ(ErrorOfField("double n", "double: {gt: -inf, lt: inf}"), "");
}

TEST(RuleMisuseTest, HasNumbersAsBounds) {
  EXPECT_EQ(ErrorOfField("double n", "double: {gt: nan}"),
            "bad.proto:8: n has a bound that is not a number; write a number");
}

TEST(RuleMisuseTest, HasLengthsThatAgree) {
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
