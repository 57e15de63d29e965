#include <gtest/gtest.h>

#include <concepts>

#include "shop/v1/shop.everfold.h"
#include "wallet/v1/wallet.everfold.h"

namespace everfold {
namespace {

TEST(FactoryTest, SetsWhatIsNamed) {
  const wallet::v1::Withdraw withdraw = wallet::v1::MakeWithdraw({.wallet_id = "w1", .amount_minor = 120});
  EXPECT_EQ(withdraw.wallet_id(), "w1");
  EXPECT_EQ(withdraw.amount_minor(), 120);
}

TEST(FactoryTest, LeavesTheRestUnset) {
  EXPECT_EQ(shop::v1::MakePlaceOrder({}).ByteSizeLong(), 0u);
  EXPECT_EQ(wallet::v1::MakeWalletOpened().ByteSizeLong(), 0u);
}

TEST(FactoryTest, CopiesTextsAndBytes) {
  const std::string token("a\0b", 3);
  shop::v1::PlaceOrder order;
  {
    const std::string gone = "o-1, long enough to live on the heap";
    order = shop::v1::MakePlaceOrder({.order_id = gone, .token = token});
  }
  EXPECT_EQ(order.order_id(), "o-1, long enough to live on the heap");
  EXPECT_EQ(order.token(), token);
}

TEST(FactoryTest, SetsNumbersOfAllKinds) {
  const shop::v1::PlaceOrder order = shop::v1::MakePlaceOrder({.channel = shop::v1::CHANNEL_WEB,
                                                               .weight = 1.5,
                                                               .ratio = 0.5f,
                                                               .boxes = 3u,
                                                               .ticket = ~std::uint64_t{0},
                                                               .floor = -2,
                                                               .accepted = true,
                                                               .class_ = 7});
  EXPECT_EQ(order.channel(), shop::v1::CHANNEL_WEB);
  EXPECT_EQ(order.weight(), 1.5);
  EXPECT_EQ(order.ratio(), 0.5f);
  EXPECT_EQ(order.boxes(), 3u);
  EXPECT_EQ(order.ticket(), ~std::uint64_t{0});
  EXPECT_EQ(order.floor(), -2);
  EXPECT_TRUE(order.accepted());
  EXPECT_EQ(order.class_(), 7);
}

TEST(FactoryTest, KeepsPresence) {
  const shop::v1::PlaceOrder zero =
      shop::v1::MakePlaceOrder({.priority = 0, .note = "", .seen_in = shop::v1::CHANNEL_WEB});
  EXPECT_TRUE(zero.has_priority());
  EXPECT_TRUE(zero.has_note());
  EXPECT_EQ(zero.seen_in(), shop::v1::CHANNEL_WEB);
  EXPECT_FALSE(shop::v1::MakePlaceOrder({}).has_priority());
}

TEST(FactoryTest, SetsMessagesListsAndMaps) {
  values::v1::Money euro;
  euro.set_currency("EUR");
  const shop::v1::Order_Line part = shop::v1::MakeOrder_Line({.sku = "part"});
  const shop::v1::Order_Line line = shop::v1::MakeOrder_Line({.sku = "set", .price = euro, .parts = {part, part}});
  const shop::v1::PlaceOrder order = shop::v1::MakePlaceOrder({.lines = {line},
                                                               .tags = {"a", "b"},
                                                               .marks = {1, -1},
                                                               .flags = {true, false},
                                                               .channels = {shop::v1::CHANNEL_BRANCH},
                                                               .extras = {{"gift", euro}},
                                                               .labels = {{7, "seven"}}});
  ASSERT_EQ(order.lines_size(), 1);
  EXPECT_EQ(order.lines(0).price().currency(), "EUR");
  EXPECT_EQ(order.lines(0).parts_size(), 2);
  EXPECT_EQ(order.tags(1), "b");
  EXPECT_EQ(order.marks(1), -1);
  EXPECT_FALSE(order.flags(1));
  EXPECT_EQ(order.channels(0), shop::v1::CHANNEL_BRANCH);
  EXPECT_EQ(order.extras().at("gift").currency(), "EUR");
  EXPECT_EQ(order.labels().at(7), "seven");
}

TEST(FactoryTest, TakesTheLastMemberOfAOneof) {
  EXPECT_EQ(shop::v1::MakePlaceOrder({}).payment_case(), shop::v1::PlaceOrder::PAYMENT_NOT_SET);
  EXPECT_EQ(shop::v1::MakePlaceOrder({.card = ""}).payment_case(), shop::v1::PlaceOrder::kCard);
  EXPECT_EQ(shop::v1::MakePlaceOrder({.card = "1234", .cash = false}).payment_case(), shop::v1::PlaceOrder::kCash);
}

TEST(TraitsTest, TellWhatTheOptionsSay) {
  using shop::v1::Order;
  static_assert(std::same_as<AggregateOf<Order>::Commands, Types<shop::v1::PlaceOrder, shop::v1::MakePayment>>);
  static_assert(std::same_as<AggregateOf<Order>::Events, Types<shop::v1::OrderPlaced, shop::v1::PaymentMade>>);
  static_assert(std::same_as<AggregateOf<Order>::Rejections, Types<shop::v1::OrderClosed>>);
  static_assert(std::same_as<AggregateOf<shop::v1::Shelf>::Rejections, Types<>>);
  static_assert(std::same_as<CommandTraits<shop::v1::RestockShelf>::Aggregate, shop::v1::Shelf>);
  EXPECT_STREQ(AggregateOf<Order>::kName, "order");
  EXPECT_STREQ(AggregateOf<shop::v1::Shelf>::kName, "shelf_v2");
  EXPECT_STREQ(CommandTraits<shop::v1::PlaceOrder>::kName, "shop.v1.PlaceOrder");
  EXPECT_EQ(CommandTraits<shop::v1::PlaceOrder>::kExpect, Expect::kNew);
  EXPECT_EQ(CommandTraits<shop::v1::MakePayment>::kExpect, Expect::kExisting);
  EXPECT_EQ(CommandTraits<shop::v1::RestockShelf>::kExpect, Expect::kAny);
  EXPECT_EQ(CommandTraits<shop::v1::PlaceOrder>::Id(shop::v1::MakePlaceOrder({.order_id = "o1"})), "o1");
  EXPECT_EQ(RejectionTraits<shop::v1::OrderClosed>::kCode, absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(RejectionTraits<wallet::v1::InsufficientFunds>::kCode, absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace everfold
