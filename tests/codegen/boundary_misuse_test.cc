// Every misuse of tags and boundaries, and the line that tells of it.
#include <gtest/gtest.h>

#include "tests/codegen/misuse.h"

namespace everfold::codegen {
namespace {

const std::string kEvent = "option (everfold.v1.message).event = {};";
const std::string kTag = "[(everfold.v1.field).tag = true]";
const std::string kRule = "message Rule { option (everfold.v1.message).boundary = {}; }\n";
const std::string kKeep = "message Keep { option (everfold.v1.message).command = {boundary: \"Rule\"}; }\n";

std::string EventOf(const std::string& fields) { return kWallet + "message Opened { " + kEvent + "\n" + fields + " }"; }

TEST(TagMisuseTest, IsAStringOrAnInteger) {
  const std::string what = "; a tag is a string or an integer, or several of them";
  EXPECT_EQ(ErrorOf(EventOf("bool b = 1 " + kTag + ";")), "bad.proto:8: the tag b is bool" + what);
  EXPECT_EQ(ErrorOf(EventOf("bytes b = 1 " + kTag + ";")), "bad.proto:8: the tag b is bytes" + what);
  EXPECT_EQ(ErrorOf(EventOf("double d = 1 " + kTag + ";")), "bad.proto:8: the tag d is double" + what);
  EXPECT_EQ(ErrorOf(EventOf("repeated Wallet w = 1 " + kTag + ";")), "bad.proto:8: the tag w is message" + what);
  EXPECT_EQ(ErrorOf(EventOf("map<string, string> m = 1 " + kTag + ";")), "bad.proto:8: the tag m is a map" + what);
  EXPECT_EQ(ErrorOf(EventOf("string s = 1 " + kTag + "; repeated sfixed64 n = 2 " + kTag + ";")), "");
}

TEST(TagMisuseTest, HasAProperName) {
  EXPECT_EQ(ErrorOf(EventOf("string s = 1 [(everfold.v1.field).tag_name = \"the seat\"];")),
            "bad.proto:8: 'the seat' is no name for a tag; give it one like [a-z][a-z0-9_]*, of at most 64 characters: "
            "`tag_name = \"order\"`");
  EXPECT_EQ(ErrorOf(EventOf("string seatId = 1 " + kTag + ";")),
            "bad.proto:8: 'seatId' is no name for a tag; give it one like [a-z][a-z0-9_]*, of at most 64 characters: "
            "`tag_name = \"order\"`");
}

TEST(TagMisuseTest, IsInAnEvent) {
  EXPECT_EQ(ErrorOf(kWallet + "message Value {\n string s = 1 " + kTag + "; }"),
            "bad.proto:8: s is marked tag, but Value is a plain value; tags are marked in events only");
}

TEST(TagMisuseTest, IsOneOfNoMoreThanAnEventCanHave) {
  std::string fields;
  for (int i = 1; i <= 21; ++i) {
    fields += "string f" + std::to_string(i) + " = " + std::to_string(i) + " " + kTag + ";";
  }
  EXPECT_EQ(ErrorOf(EventOf(fields)), "bad.proto:7: Opened has 21 tags, and an event at most 20; remove some marks");
}

TEST(BoundaryMisuseTest, HasACommand) {
  EXPECT_EQ(ErrorOf(kWallet + kRule),
            "bad.proto:7: the boundary Rule has no command; mark one with `option (everfold.v1.message).command = "
            "{boundary: \"Rule\"};`");
}

TEST(BoundaryMisuseTest, NeedsNoAggregateInItsFile) { EXPECT_EQ(ErrorOf(kRule + kKeep), ""); }

TEST(BoundaryMisuseTest, HasAProperNameOfItsOwn) {
  EXPECT_EQ(ErrorOf("message Rule { option (everfold.v1.message).boundary = {name: \"My-Rule\"}; }\n" + kKeep),
            "bad.proto:6: 'My-Rule' is no name for the boundary Rule; give it one like [a-z][a-z0-9_]*, of at most 64 "
            "characters: `boundary = {name: \"order\"}`");
  EXPECT_EQ(
      ErrorOf(kWallet + "message Rule { option (everfold.v1.message).boundary = {name: \"wallet\"}; }\n" + kKeep),
      "bad.proto:7: Rule has the boundary name 'wallet' of Wallet; give it another: `boundary = {name: \"...\"}`");
}

TEST(BoundaryMisuseTest, IsNamedByCommandsAndRejectionsOfItsFile) {
  EXPECT_EQ(
      ErrorOf(kWallet + "message Keep { option (everfold.v1.message).command = {boundary: \"Wallet\"}; }"),
      "bad.proto:7: Keep is a command of 'Wallet', which is no boundary of this file; declare it in the same file, "
      "with `option (everfold.v1.message).boundary = {};`");
  EXPECT_EQ(
      ErrorOf(kWallet + kRule + kKeep +
              "message No { option (everfold.v1.message).rejection = {aggregate: \"Wallet\" boundary: \"Rule\"}; }"),
      "bad.proto:9: No is a rejection of the aggregate Wallet and of the boundary Rule; name one of them");
}

TEST(BoundaryMisuseTest, HasNoStream) {
  EXPECT_EQ(
      ErrorOf(kRule + "message Keep { option (everfold.v1.message).command = {boundary: \"Rule\" expect: "
                      "EXPECT_NEW};\n string id = 1 [(everfold.v1.field).id = true]; }"),
      "bad.proto:7: Keep is a command to a boundary, which has no stream to expect something of; remove `expect`, "
      "and have Decide look at the events\n"
      "bad.proto:8: id is marked id, but Keep is a command to a boundary, which has no stream; remove the mark");
}

TEST(BoundaryMisuseTest, HasNoIdAndNoTags) {
  EXPECT_EQ(ErrorOf("message Rule { option (everfold.v1.message).boundary = {};\n string id = 1 "
                    "[(everfold.v1.field).id = true];\n string tag = 2 " +
                    kTag + "; }\n" + kKeep),
            "bad.proto:7: id is marked id, but Rule is a boundary; ids are marked in aggregates, commands and "
            "processes only\n"
            "bad.proto:8: tag is marked tag, but Rule is a boundary; tags are marked in events only");
}

TEST(BoundaryMisuseTest, KeepsTheNameOfItsServiceFree) {
  EXPECT_EQ(ErrorOf(kRule + kKeep + "message RuleCommandService {}"),
            "bad.proto:8: the name RuleCommandService is needed for what is generated for Rule; rename the declaration "
            "that has it");
}

}  // namespace
}  // namespace everfold::codegen
