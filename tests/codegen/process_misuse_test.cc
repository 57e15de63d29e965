// Every misuse of processes, and the line that tells of it.
#include <gtest/gtest.h>

#include "tests/codegen/misuse.h"

namespace everfold::codegen {
namespace {

std::string ProcessOf(const std::string& options, const std::string& fields) {
  return "message Payout { option (everfold.v1.message).process = {" + options + "};\n" + fields + " }";
}
const std::string kId = "string payout_id = 1 [(everfold.v1.field).id = true];";

TEST(ProcessMisuseTest, MayBeAloneInItsFile) { EXPECT_EQ(ErrorOf(ProcessOf("", kId)), ""); }

TEST(ProcessMisuseTest, NeedsAnId) {
  EXPECT_EQ(ErrorOf(ProcessOf("", "int64 owed = 1;")),
            "bad.proto:6: Payout is a process without an id; mark its id, a string field, with "
            "[(everfold.v1.field).id = true]");
}

TEST(ProcessMisuseTest, HasAProperName) {
  const std::string rule =
      "; give it one like [a-z][a-z0-9_]*, of at most 56 characters: `process = {name: \"order\"}`";
  EXPECT_EQ(ErrorOf(ProcessOf("name: \"Pay-Out\"", kId)),
            "bad.proto:6: 'Pay-Out' is no name for the process Payout" + rule);
  const std::string longest(56, 'p');
  EXPECT_EQ(ErrorOf(ProcessOf("name: \"" + longest + "\"", kId)), "");
  EXPECT_EQ(ErrorOf(ProcessOf("name: \"" + longest + "p\"", kId)),
            "bad.proto:6: '" + longest + "p' is no name for the process Payout" + rule);
}

TEST(ProcessMisuseTest, HasANameOfItsOwn) {
  EXPECT_EQ(ErrorOf(ProcessOf("", kId) +
                    "\nmessage Other { option (everfold.v1.message).process = {name: \"payout\"};\n" + kId + " }"),
            "bad.proto:8: Other has the process name 'payout' of Payout; give it another: `process = {name: \"...\"}`");
}

TEST(ProcessMisuseTest, HasNoRulesAndNoTags) {
  EXPECT_EQ(ErrorOf(ProcessOf("", kId + "\nint64 owed = 2 [(everfold.v1.field).tag = true];")),
            "bad.proto:8: owed is marked tag, but Payout is a process; tags are marked in events only");
  EXPECT_EQ(ErrorOf(ProcessOf("", kId + "\nint64 owed = 2 [(everfold.v1.field).rules.int64.gt = 0];")),
            "bad.proto:8: owed has rules, but Payout is a process, which is never checked; put rules on the fields of "
            "commands and of the values in them");
}

}  // namespace
}  // namespace everfold::codegen
