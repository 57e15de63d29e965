#include "everfold/decide/stored_form.h"

#include <gmock/gmock.h>

#include "everfold/base/error.h"
#include "tests/unit/decide/account.h"

namespace everfold {
namespace {

using account::v1::Account;
using account::v1::Credited;
using account::v1::CreditedInCents;
using account::v1::CreditedInEuros;
using account::v1::MakeCredited;
using account::v1::MakeCreditedInCents;
using account::v1::MakeCreditedInEuros;
using testing::Key;
using testing::UnorderedElementsAre;

class StoredFormTest : public testing::Test {
 protected:
  absl::Status Evolve(const std::string& type, const google::protobuf::Message& event) {
    return type_.EvolveStored(state_, type, event.SerializeAsString());
  }

  const AggregateType type_ = MakeAggregateType<AccountDecider>();
  Account state_;
};

TEST_F(StoredFormTest, AreListedByTheNamesUnderWhichEventsAreStored) {
  EXPECT_THAT(type_.events, UnorderedElementsAre(Key("account.v1.Closed"), Key("account.v1.Credited")));
  EXPECT_THAT(type_.stored_forms,
              UnorderedElementsAre(Key("account.v1.MoneyIn"), Key("account.v0.MoneyIn"), Key("account.v0.Cents"),
                                   Key("account.v1.CreditedInCents"), Key("account.v1.CreditedInEuros")));
  for (const auto& [name, form] : type_.stored_forms) {
    EXPECT_EQ(form.name, name);
    EXPECT_EQ(form.becomes, "account.v1.Credited") << name;
  }
}

TEST_F(StoredFormTest, TellTheRevisionOfTheirUpcast) {
  EXPECT_EQ(type_.stored_forms.at("account.v1.MoneyIn").upcast_revision, 0);
  EXPECT_EQ(type_.stored_forms.at("account.v0.Cents").upcast_revision, 1);
  EXPECT_EQ(type_.stored_forms.at("account.v1.CreditedInEuros").upcast_revision, 2);
}

TEST_F(StoredFormTest, EvolveUnderAnEarlierName) {
  EXPECT_EQ(Evolve("account.v1.MoneyIn", MakeCredited({.amount_minor = 5})), absl::OkStatus());
  EXPECT_EQ(Evolve("account.v0.MoneyIn", MakeCredited({.amount_minor = 2})), absl::OkStatus());
  EXPECT_EQ(state_.balance_minor(), 7);
}

TEST_F(StoredFormTest, EvolveByUpcastsOneAfterTheOther) {
  EXPECT_EQ(Evolve("account.v1.CreditedInCents", MakeCreditedInCents({.cents = 5})), absl::OkStatus());
  EXPECT_EQ(Evolve("account.v0.Cents", MakeCreditedInCents({.cents = 1})), absl::OkStatus());
  EXPECT_EQ(Evolve("account.v1.CreditedInEuros", MakeCreditedInEuros({.euros = 3})), absl::OkStatus());
  EXPECT_EQ(state_.balance_minor(), 306);
}

TEST_F(StoredFormTest, MakePayloadsOfTheEventOfToday) {
  const StoredForm& euros = type_.stored_forms.at("account.v1.CreditedInEuros");
  const auto payload = euros.upcast(MakeCreditedInEuros({.euros = 3}).SerializeAsString());
  ASSERT_TRUE(payload.has_value());
  Credited credited;
  ASSERT_TRUE(credited.ParseFromString(*payload));
  EXPECT_EQ(credited.amount_minor(), 300);
  EXPECT_EQ(credited.currency(), "EUR");
  EXPECT_EQ(type_.stored_forms.at("account.v1.MoneyIn").upcast, nullptr);
}

TEST_F(StoredFormTest, RefuseBytesThatDoNotParse) {
  const absl::Status status = type_.EvolveStored(state_, "account.v1.CreditedInCents", "\xff");
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(type_.stored_forms.at("account.v1.CreditedInCents").upcast("\xff"), std::nullopt);
}

TEST_F(StoredFormTest, AnswerInternalWhenAnUpcastThrows) {
  const absl::Status status = Evolve("account.v1.CreditedInCents", MakeCreditedInCents({.cents = 13}));
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ReasonOf(status), reason::kDeciderFailed);
}

TEST_F(StoredFormTest, LeaveOtherTypesUnknown) {
  const absl::Status status = Evolve("account.v2.Credited", MakeCredited({.amount_minor = 5}));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), reason::kUnknownType);
  EXPECT_EQ(state_.balance_minor(), 0);
}

}  // namespace
}  // namespace everfold
