#include "everfold/store/raw_append_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everfold/base/error.h"

namespace everfold {
namespace {

using ::testing::HasSubstr;

AppendRequest To(const std::string& aggregate, const std::string& type) {
  AppendRequest request;
  request.streams.push_back({.stream = {"", aggregate, "1"}, .events = {}});
  request.streams[0].events.push_back({.type = type, .fingerprint = {}, .payload = "x", .event_time = {}, .tags = {}});
  return request;
}

RawAppendRules Rules(bool allow) {
  return {.aggregates = {{"wallet", {"wallet.v1.Deposited"}}}, .allow_registered = allow};
}

TEST(RawAppendGuard, LeavesAggregatesAloneThatAreNotRegistered) {
  EXPECT_EQ(RawAppendGuard(Rules(false)).Check(To("jar", "any.v1.Type")), absl::OkStatus());
}

TEST(RawAppendGuard, RefusesRegisteredAggregates) {
  const absl::Status refused = RawAppendGuard(Rules(false)).Check(To("wallet", "wallet.v1.Deposited"));
  EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ReasonOf(refused), reason::kAggregateRegistered);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("wallet/1 is changed by its commands"));
}

TEST(RawAppendGuard, RefusesThemInAnyPlaceOfARequest) {
  AppendRequest request = To("jar", "any.v1.Type");
  request.streams.push_back(To("wallet", "wallet.v1.Deposited").streams[0]);
  EXPECT_EQ(ReasonOf(RawAppendGuard(Rules(false)).Check(request)), reason::kAggregateRegistered);
}

TEST(RawAppendGuard, WhereTheyAreAllowedTheirEventsAreThoseOfTheDecider) {
  const RawAppendGuard guard(Rules(true));
  EXPECT_EQ(guard.Check(To("wallet", "wallet.v1.Deposited")), absl::OkStatus());
  const absl::Status refused = guard.Check(To("wallet", "wallet.v1.Stolen"));
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(refused), reason::kUnknownType);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("the aggregate wallet has no event wallet.v1.Stolen"));
}

TEST(RawAppendGuard, RefusesEventsOfAnAggregateInStreamsOfOthers) {
  const absl::Status refused = RawAppendGuard(Rules(false)).Check(To("jar", "wallet.v1.Deposited"));
  EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ReasonOf(refused), reason::kAggregateRegistered);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("wallet.v1.Deposited is an event of the aggregate wallet"));
}

TEST(RawAppendGuard, RefusesTheIdsOfCommands) {
  AppendRequest request = To("jar", "any.v1.Type");
  request.command = {.type = "wallet.v1.Deposit", .id = "r1", .fingerprint = {}};
  RawAppendRules rules = Rules(false);
  rules.commands = {"wallet.v1.Deposit"};
  EXPECT_EQ(ReasonOf(RawAppendGuard(rules).Check(request)), reason::kAggregateRegistered);
  request.command.type = "$mine";
  EXPECT_EQ(ReasonOf(RawAppendGuard(Rules(true)).Check(request)), reason::kReservedName);
}

TEST(RawAppendGuard, RefusesTheFrameworksOwnStreams) {
  AppendRequest request = To("$schema", "any.v1.Type");
  request.of_framework = true;  // whoever asks the guard is not
  const absl::Status refused = RawAppendGuard(Rules(true)).Check(request);
  EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ReasonOf(refused), reason::kReservedName);
}

}  // namespace
}  // namespace everfold
