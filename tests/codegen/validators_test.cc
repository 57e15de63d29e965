#include <gmock/gmock.h>

#include <limits>
#include <tuple>

#include "odd.everfold.h"
#include "shop/v1/shop.everfold.h"
#include "wallet/v1/wallet.everfold.h"

namespace everfold {
namespace {

using shop::v1::PlaceOrder;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

template <class C>
std::vector<Violation> ViolationsOf(const C& command) {
  Violations violations;
  CommandTraits<C>::Validate(command, absl::UnixEpoch(), violations);
  return violations.kept();
}

values::v1::Money Euro(std::int64_t minor) {
  values::v1::Money money;
  money.set_currency("EUR");
  money.set_minor(minor);
  return money;
}

shop::v1::Order_Line Line() { return shop::v1::MakeOrder_Line({.sku = "abc", .quantity = 1, .price = Euro(5)}); }

// Keeps every rule.
PlaceOrder ValidOrder() {
  PlaceOrder order = shop::v1::MakePlaceOrder({.order_id = "o1",
                                               .lines = {Line()},
                                               .email = "a@b",
                                               .country = "DE",
                                               .reference = "01234567-89ab-cdef-0123-456789ABCDEF",
                                               .token = "1234",
                                               .channel = shop::v1::CHANNEL_WEB,
                                               .handout = shop::v1::CHANNEL_BRANCH,
                                               .weight = 1,
                                               .ticket = 9223372036854775809u,
                                               .door = 7,
                                               .labels = {{1, ""}},
                                               .accepted = true,
                                               .wanted_at = google::protobuf::Timestamp(),
                                               .class_ = 1});
  return order;
}

TEST(ValidateTest, AcceptsWhatKeepsTheRules) { EXPECT_THAT(ViolationsOf(ValidOrder()), IsEmpty()); }

TEST(ValidateTest, TellsTheLimitAndTheValue) {
  EXPECT_THAT(ViolationsOf(wallet::v1::MakeWithdraw({.wallet_id = "w1", .amount_minor = -5})),
              ElementsAre(Violation{"amount_minor", "int64.gt", "must be greater than 0, is -5"}));
}

TEST(ValidateTest, AcceptsCommandsWithoutRules) {
  EXPECT_THAT(ViolationsOf(shop::v1::MakeRestockShelf({})), IsEmpty());
}

TEST(ValidateTest, FindsEverythingAtOnce) {
  std::vector<std::tuple<std::string, std::string>> found;
  for (const Violation& violation : ViolationsOf(PlaceOrder())) found.emplace_back(violation.field, violation.rule);
  EXPECT_THAT(found, ElementsAre(std::tuple("lines", "repeated.min_items"), std::tuple("email", "string.pattern"),
                                 std::tuple("country", "string.in"), std::tuple("reference", "string.uuid_empty"),
                                 std::tuple("token", "bytes.len"), std::tuple("handout", "enum.in"),
                                 std::tuple("weight", "double.gt_lt"), std::tuple("ticket", "uint64.gt"),
                                 std::tuple("door", "fixed32.in"), std::tuple("labels", "required"),
                                 std::tuple("accepted", "required"), std::tuple("wanted_at", "required"),
                                 std::tuple("class", "required")));
}

// One change to a valid order, and the one violation it makes.
struct BrokenRule {
  void (*change)(PlaceOrder& order);
  Violation expected;
};

class BrokenRuleTest : public testing::TestWithParam<BrokenRule> {};

TEST_P(BrokenRuleTest, IsFound) {
  PlaceOrder order = ValidOrder();
  GetParam().change(order);
  EXPECT_THAT(ViolationsOf(order), ElementsAre(GetParam().expected));
}

INSTANTIATE_TEST_SUITE_P(
    Numbers, BrokenRuleTest,
    testing::Values(
        BrokenRule{[](PlaceOrder& o) { o.set_weight(0); },
                   {"weight", "double.gt_lt", "must be greater than 0 and less than 1000.5, is 0"}},
        BrokenRule{[](PlaceOrder& o) { o.set_weight(1000.5); },
                   {"weight", "double.gt_lt", "must be greater than 0 and less than 1000.5, is 1000.5"}},
        BrokenRule{[](PlaceOrder& o) { o.set_weight(std::numeric_limits<double>::quiet_NaN()); },
                   {"weight", "double.gt_lt", "must be greater than 0 and less than 1000.5, is nan"}},
        BrokenRule{[](PlaceOrder& o) { o.set_ratio(1.1f); },
                   {"ratio", "float.gte_lte", "must be at least 0 and at most 1, is 1.1"}},
        BrokenRule{[](PlaceOrder& o) { o.set_boxes(10); },
                   {"boxes", "uint32.gte_lt", "must be at least 0 and less than 10, is 10"}},
        BrokenRule{[](PlaceOrder& o) { o.set_ticket(9223372036854775808u); },
                   {"ticket", "uint64.gt", "must be greater than 9223372036854775808, is 9223372036854775808"}},
        BrokenRule{[](PlaceOrder& o) { o.set_floor(-11); }, {"floor", "sint32.gte", "must be at least -10, is -11"}},
        BrokenRule{[](PlaceOrder& o) { o.set_depth(std::numeric_limits<std::int64_t>::min()); },
                   {"depth", "sint64.gt", "must be greater than -9223372036854775808, is -9223372036854775808"}},
        BrokenRule{[](PlaceOrder& o) { o.set_door(8); }, {"door", "fixed32.in", "must be one of 7, 9, is 8"}},
        BrokenRule{[](PlaceOrder& o) { o.set_left(5); }, {"left", "sfixed32.lt", "must be less than 5, is 5"}},
        BrokenRule{[](PlaceOrder& o) { o.set_right(1000000000001); },
                   {"right", "sfixed64.lte", "must be at most 1000000000000, is 1000000000001"}}));

INSTANTIATE_TEST_SUITE_P(
    Texts, BrokenRuleTest,
    testing::Values(BrokenRule{[](PlaceOrder& o) { o.set_email("nobody"); },
                               {"email", "string.pattern", "must match \"^[^@]+@[^@]+$\", is \"nobody\""}},
                    BrokenRule{[](PlaceOrder& o) { o.set_email("\xc3\xa4@1234567890123456789"); },
                               {"email", "string.max_len", "must have at most 20 characters, has 21"}},
                    BrokenRule{[](PlaceOrder& o) { o.set_country("D\n"); },
                               {"country", "string.in", "must be one of \"DE\", \"FR\", is \"D\\n\""}},
                    BrokenRule{[](PlaceOrder& o) { o.set_reference("01234567"); },
                               {"reference", "string.uuid", "must be a UUID, is \"01234567\""}},
                    BrokenRule{[](PlaceOrder& o) { o.set_reference(""); },
                               {"reference", "string.uuid_empty", "must be a UUID, is empty"}},
                    BrokenRule{[](PlaceOrder& o) { o.set_token("12345"); },
                               {"token", "bytes.len", "must have exactly 4 bytes, has 5"}}));

INSTANTIATE_TEST_SUITE_P(
    Enums, BrokenRuleTest,
    testing::Values(BrokenRule{[](PlaceOrder& o) { o.set_channel(static_cast<shop::v1::Channel>(9)); },
                               {"channel", "enum.defined_only", "must be a declared value of Channel, is 9"}},
                    BrokenRule{
                        [](PlaceOrder& o) { o.set_handout(shop::v1::CHANNEL_UNSPECIFIED); },
                        {"handout", "enum.in", "must be one of CHANNEL_WEB, CHANNEL_BRANCH, is CHANNEL_UNSPECIFIED"}}));

INSTANTIATE_TEST_SUITE_P(
    Presence, BrokenRuleTest,
    testing::Values(BrokenRule{[](PlaceOrder& o) { o.set_priority(0); },
                               {"priority", "int32.in", "must be one of 1, 2, 3, is 0"}},
                    BrokenRule{[](PlaceOrder& o) { o.set_note(""); },
                               {"note", "string.min_len", "must have at least 2 characters, has 0"}},
                    BrokenRule{[](PlaceOrder& o) { o.set_card("123"); },
                               {"card", "string.len", "must have exactly 4 characters, has 3"}},
                    BrokenRule{[](PlaceOrder& o) { o.clear_wanted_at(); }, {"wanted_at", "required", "must be set"}},
                    BrokenRule{[](PlaceOrder& o) { o.clear_labels(); }, {"labels", "required", "must be set"}},
                    BrokenRule{[](PlaceOrder& o) { o.set_class_(0); }, {"class", "required", "must be set"}}));

INSTANTIATE_TEST_SUITE_P(
    Items, BrokenRuleTest,
    testing::Values(BrokenRule{[](PlaceOrder& o) { o.clear_lines(); },
                               {"lines", "repeated.min_items", "must have at least 1 item, has 0"}},
                    BrokenRule{[](PlaceOrder& o) {
                                 for (int i = 0; i < 3; ++i) *o.add_lines() = Line();
                               },
                               {"lines", "repeated.max_items", "must have at most 3 items, has 4"}},
                    BrokenRule{[](PlaceOrder& o) { o.add_tags("ok"), o.add_tags("much too long"); },
                               {"tags[1]", "string.max_len", "must have at most 8 characters, has 13"}},
                    BrokenRule{[](PlaceOrder& o) { o.add_marks(50); },
                               {"marks[0]", "sint64.lt", "must be less than 50, is 50"}},
                    BrokenRule{[](PlaceOrder& o) { o.add_channels(static_cast<shop::v1::Channel>(5)); },
                               {"channels[0]", "enum.defined_only", "must be a declared value of Channel, is 5"}}));

INSTANTIATE_TEST_SUITE_P(
    NestedMessages, BrokenRuleTest,
    testing::Values(BrokenRule{[](PlaceOrder& o) { o.mutable_lines(0)->set_quantity(101); },
                               {"lines[0].quantity", "int32.gte_lte", "must be at least 1 and at most 100, is 101"}},
                    BrokenRule{[](PlaceOrder& o) { o.mutable_lines(0)->clear_price(); },
                               {"lines[0].price", "required", "must be set"}},
                    BrokenRule{[](PlaceOrder& o) { o.mutable_lines(0)->mutable_price()->set_minor(0); },
                               {"lines[0].price.minor", "int64.gt", "must be greater than 0, is 0"}},
                    BrokenRule{[](PlaceOrder& o) {
                                 *o.mutable_lines(0)->add_parts()->add_parts() = Line(),
                                 *o.mutable_lines(0)->mutable_parts(0) = Line(),
                                 o.mutable_lines(0)->mutable_parts(0)->set_sku("a");
                               },
                               {"lines[0].parts[0].sku", "string.min_len", "must have at least 3 characters, has 1"}},
                    BrokenRule{[](PlaceOrder& o) { o.mutable_lines(0)->clear_sku(); },
                               {"lines[0].sku", "required", "must be set"}},
                    BrokenRule{[](PlaceOrder& o) { (*o.mutable_extras())["a\"b"] = Euro(0); },
                               {"extras[\"a\\\"b\"].minor", "int64.gt", "must be greater than 0, is 0"}},
                    BrokenRule{[](PlaceOrder& o) { (*o.mutable_by_flag())[true] = Euro(0); },
                               {"by_flag[true].minor", "int64.gt", "must be greater than 0, is 0"}},
                    BrokenRule{[](PlaceOrder& o) { *o.mutable_voucher() = Euro(-1); },
                               {"voucher.minor", "int64.gt", "must be greater than 0, is -1"}}));

TEST(ValidateTest, TakesNamesAndTextsOfAllKinds) {
  const std::vector<Violation> violations = ViolationsOf(MakeDo({.message = "a$b$", .value = 1, .old = "x"}));
  EXPECT_THAT(violations, ElementsAre(Violation{"old", "string.min_len", "must have at least 2 characters, has 1"}));
  EXPECT_THAT(ViolationsOf(MakeDo({.message = "\"x\\", .value = 1, .old = "xx"})), IsEmpty());
}

TEST(ValidateTest, CutsLongValues) {
  PlaceOrder order = ValidOrder();
  order.set_country(std::string(63, 'x') + "\xc3\xa4" + std::string(1000, 'y'));
  EXPECT_THAT(ViolationsOf(order), ElementsAre(Violation{"country", "string.in",
                                                         "must be one of \"DE\", \"FR\", is \"" + std::string(63, 'x') +
                                                             "\"... (1065 bytes)"}));
}

TEST(ValidateTest, ReachesValuesThroughOtherMessages) {
  shop::v1::MakePayment pay = shop::v1::MakeMakePayment({.order_id = "o1"});
  EXPECT_THAT(ViolationsOf(pay), IsEmpty());
  pay.mutable_payment()->mutable_amount()->set_currency("euro");
  EXPECT_THAT(ViolationsOf(pay),
              UnorderedElementsAre(
                  Violation{"payment.amount.currency", "string.pattern", "must match \"^[A-Z]{3}$\", is \"euro\""},
                  Violation{"payment.amount.minor", "int64.gt", "must be greater than 0, is 0"}));
}

}  // namespace
}  // namespace everfold
