// Earlier names and superseded events that cannot be.
#include <gtest/gtest.h>

#include "absl/strings/str_format.h"
#include "tests/codegen/misuse.h"

namespace everfold::codegen {
namespace {

// The error for an event Paid, on line 7, with these options.
std::string ErrorOfEvent(const std::string& options) {
  return ErrorOf(
      absl::StrFormat("%smessage Paid { option (everfold.v1.message).event = {%s}; }\n"
                      "message Other { option (everfold.v1.message).event = {}; }\n",
                      kWallet, options));
}

TEST(EvolutionMisuseTest, AcceptsEarlierNamesAndUpcasts) {
  EXPECT_EQ(ErrorOfEvent("was: \"bad.v0.Paid\" was: \"Paid\""), "");
  EXPECT_EQ(ErrorOfEvent("upcast_to: \"Other\""), "");
  EXPECT_EQ(ErrorOfEvent("upcast_to: \"bad.v1.Other\" upcast_revision: 3"), "");
}

TEST(EvolutionMisuseTest, EarlierNamesAreNames) {
  EXPECT_EQ(ErrorOfEvent("was: \"bad..Paid\""),
            "bad.proto:7: Paid was 'bad..Paid', which is no full name of a message; write it with its package, as "
            "\"shop.v1.OrderPlaced\"");
  EXPECT_EQ(ErrorOfEvent("was: \"\""),
            "bad.proto:7: Paid was '', which is no full name of a message; write it with its package, as "
            "\"shop.v1.OrderPlaced\"");
}

TEST(EvolutionMisuseTest, EarlierNamesAreNotInUse) {
  EXPECT_EQ(ErrorOfEvent("was: \"bad.v1.Other\""),
            "bad.proto:7: Paid was 'bad.v1.Other', which is a message still; events stored under that name are read as "
            "that one. Remove one of the two");
  EXPECT_EQ(ErrorOfEvent("was: \"bad.v0.A\" was: \"bad.v0.A\""),
            "bad.proto:7: Paid was 'bad.v0.A', and so was Paid; remove one");
}

TEST(EvolutionMisuseTest, UpcastsLeadToAnEventOfTheAggregate) {
  EXPECT_EQ(ErrorOfEvent("upcast_to: \"Nothing\""),
            "bad.proto:7: Paid is upcast to 'Nothing', which is no event of Wallet; name one");
  EXPECT_EQ(ErrorOfEvent("upcast_to: \"Open\""),
            "bad.proto:7: Paid is upcast to 'Open', which is no event of Wallet; name one");
}

TEST(EvolutionMisuseTest, UpcastsDoNotGoInACircle) {
  EXPECT_EQ(ErrorOfEvent("upcast_to: \"Paid\""),
            "bad.proto:7: Paid is upcast to itself in the end; name an event that is emitted");
}

TEST(EvolutionMisuseTest, RevisionsAreOfUpcasts) {
  EXPECT_EQ(ErrorOfEvent("upcast_revision: 2"),
            "bad.proto:7: Paid has an upcast_revision, but is not upcast; remove it, or name the event with upcast_to");
}

}  // namespace
}  // namespace everfold::codegen
