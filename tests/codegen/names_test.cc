#include "codegen/names.h"

#include <gtest/gtest.h>

#include "codegen/options.h"

namespace everfold::codegen {
namespace {

TEST(SnakeCaseTest, DividesWordsAndAbbreviations) {
  EXPECT_EQ(SnakeCase("WalletBalance"), "wallet_balance");
  EXPECT_EQ(SnakeCase("Wallet"), "wallet");
  EXPECT_EQ(SnakeCase("HTTPCall"), "http_call");
  EXPECT_EQ(SnakeCase("UserID"), "user_id");
  EXPECT_EQ(SnakeCase("Shelf2Row"), "shelf2_row");
}

TEST(PluralTest, FollowsEnglish) {
  EXPECT_EQ(Plural("WalletBalance"), "WalletBalances");
  EXPECT_EQ(Plural("StockEntry"), "StockEntries");
  EXPECT_EQ(Plural("TradingDay"), "TradingDays");
  EXPECT_EQ(Plural("Address"), "Addresses");
  EXPECT_EQ(Plural("Box"), "Boxes");
  EXPECT_EQ(Plural("Branch"), "Branches");
  EXPECT_EQ(Plural("Dish"), "Dishes");
}

TEST(ProtoNameTest, IsAsShortAsItCanBe) {
  EXPECT_EQ(ProtoName("shop.v1.Order.Line", "shop.v1", "shop.v1"), "Order.Line");
  EXPECT_EQ(ProtoName("shop.v1.Channel", "shop.v1", "catalog.v1"), "shop.v1.Channel");
  EXPECT_EQ(ProtoName("Order", "", ""), "Order");
}

// In acme.everfold.v1, "everfold.v1" would be looked for in acme first.
TEST(ProtoNameTest, BeginsWithADotWhereItsFirstPartMeansSomethingElse) {
  EXPECT_EQ(ProtoName("everfold.v1.CommandReceipt", "everfold.v1", "acme.everfold.v1"), ".everfold.v1.CommandReceipt");
}

TEST(CppLiteralTest, EscapesWhatIsNotPlain) {
  EXPECT_EQ(CppLiteral("^\\d+\"$"), R"("^\\d+\"$")");
  EXPECT_EQ(CppLiteral("a\n"), R"("a\n")");
}

TEST(AggregateNameTest, IsLowerCaseAndAtMost64Long) {
  EXPECT_TRUE(IsPartName("a"));
  EXPECT_TRUE(IsPartName("order_2"));
  EXPECT_TRUE(IsPartName(std::string(64, 'a')));
  EXPECT_FALSE(IsPartName(std::string(65, 'a')));
  EXPECT_FALSE(IsPartName(""));
  EXPECT_FALSE(IsPartName("2order"));
  EXPECT_FALSE(IsPartName("Order"));
  EXPECT_FALSE(IsPartName("or-der"));
}

}  // namespace
}  // namespace everfold::codegen
