// Customers, and the address that each has alone: also when several ask for it at the same time, and across crashes.
#include <map>

#include "domain/customer_decider.h"
#include "everfold/testing/given.h"
#include "everfold/testing/test_app.h"
#include "gtest/gtest.h"

namespace shop::v1 {
namespace {

using everfold::CommandReceipt;
using everfold::RecordedEvent;
using everfold::Rejection;
using everfold::testing::Given;
using everfold::testing::TestApp;

RegisterCustomer Register(const std::string& customer, const std::string& email) {
  return MakeRegisterCustomer({.customer_id = customer, .email = email, .name = "Somebody"});
}
ChangeEmail Change(const std::string& customer, const std::string& email) {
  return MakeChangeEmail({.customer_id = customer, .email = email});
}
CustomerRegistered Registered(const std::string& customer, const std::string& email) {
  return MakeCustomerRegistered({.customer_id = customer, .email = email, .name = "Somebody"});
}
CustomerEmailChanged Changed(const std::string& customer, const std::string& from, const std::string& to) {
  return MakeCustomerEmailChanged({.customer_id = customer, .email = to, .last_email = from});
}

TEST(ACustomer, TakesAnAddressThatNobodyHas) {
  Given<EmailBookDecider>().When(Register("anna", "a@x.org")).Then(To("anna", Registered("anna", "a@x.org")));
  Given<EmailBookDecider>(Registered("ben", "b@x.org"))
      .When(Register("anna", "a@x.org"))
      .Then(To("anna", Registered("anna", "a@x.org")));
}

TEST(ACustomer, GetsNoAddressThatSomebodyHas) {
  const auto taken = MakeEmailTaken({.email = "a@x.org"});
  Given<EmailBookDecider>(Registered("anna", "a@x.org")).When(Register("ben", "a@x.org")).ThenRejected(taken);
  Given<EmailBookDecider>(Registered("anna", "a@x.org")).When(Register("ben", "A@X.org")).ThenRejected(taken);
  Given<EmailBookDecider>(Registered("anna", "z@x.org"), Changed("anna", "z@x.org", "a@x.org"))
      .When(Register("ben", "a@x.org"))
      .ThenRejected(taken);
  Given<EmailBookDecider>(Registered("anna", "a@x.org"), Registered("ben", "b@x.org"))
      .When(Change("ben", "a@x.org"))
      .ThenRejected(taken);
}

TEST(ACustomer, TakesAnAddressThatSomebodyHasGivenUp) {
  Given<EmailBookDecider>(Registered("anna", "a@x.org"), Changed("anna", "a@x.org", "z@x.org"))
      .When(Register("ben", "a@x.org"))
      .Then(To("ben", Registered("ben", "a@x.org")));
  // And takes it back when it is free again.
  Given<EmailBookDecider>(Registered("anna", "a@x.org"), Changed("anna", "a@x.org", "z@x.org"),
                          Registered("ben", "a@x.org"), Changed("ben", "a@x.org", "b@x.org"))
      .When(Change("anna", "a@x.org"))
      .Then(To("anna", Changed("anna", "z@x.org", "a@x.org")));
}

TEST(ACustomer, IsRegisteredOnce) {
  Given<EmailBookDecider>(Registered("anna", "a@x.org"))
      .When(Register("anna", "other@x.org"))
      .ThenRejected(MakeCustomerKnown({.customer_id = "anna"}));
}

TEST(ACustomer, WhoKeepsAnAddressChangesNothing) {
  Given<EmailBookDecider>(Registered("anna", "a@x.org")).When(Change("anna", "A@x.org")).ThenNothing();
}

TEST(ACustomer, IsKnownBeforeAnAddressIsChanged) {
  Given<EmailBookDecider>().When(Change("anna", "a@x.org")).ThenRejected(MakeNoSuchCustomer({.customer_id = "anna"}));
}

TEST(ACustomer, HasAnAddress) {
  for (const std::string email : {"", "anna", "@x.org", "anna@", "a b@x.org", "a@b@c", "a@x\n"}) {
    SCOPED_TRACE(email);
    Given<EmailBookDecider>().When(Register("anna", email)).ThenInvalid("email", "string.pattern");
  }
  Given<EmailBookDecider>()
      .When(Register("anna", std::string(185, 'a') + "@x.org"))
      .ThenInvalid("email", "string.max_bytes");
}

TEST(ACustomer, ChangesNames) {
  Given<CustomerDecider>(Registered("anna", "a@x.org"))
      .When(MakeRenameCustomer({.customer_id = "anna", .name = "Anna"}))
      .Then(MakeCustomerRenamed({.name = "Anna"}));
  Given<CustomerDecider>(Registered("anna", "a@x.org"))
      .When(MakeRenameCustomer({.customer_id = "anna", .name = "Somebody"}))
      .ThenNothing();
}

// Races ---------------------------------------------------------------------------------------------------------------

everfold::Parts CustomerParts() { return everfold::Parts().Aggregate<CustomerDecider>().Boundary<EmailBookDecider>(); }

// Who has which address at the end of the customers' streams; an address that two have is a failure.
std::map<std::string, std::string> OwnersOf(TestApp& app, const std::vector<std::string>& customers) {
  std::map<std::string, std::string> owners;
  for (const std::string& customer : customers) {
    std::string email;
    const absl::Status read = app.engine().store().ReadStream(
        {"", "customer", customer}, {}, [&](const RecordedEvent& event) -> absl::Status {
          CustomerRegistered registered;
          CustomerEmailChanged changed;
          if (event.event.type == CustomerRegistered::descriptor()->full_name()) {
            EXPECT_TRUE(email.empty()) << customer << " is registered twice";
            EXPECT_TRUE(registered.ParseFromString(std::string(event.event.payload)));
            email = registered.email();
          } else {
            EXPECT_TRUE(changed.ParseFromString(std::string(event.event.payload)));
            EXPECT_EQ(changed.last_email(), email);
            email = changed.email();
          }
          return absl::OkStatus();
        });
    EXPECT_EQ(read, absl::OkStatus());
    if (email.empty()) continue;
    const auto [other, is_first] = owners.emplace(email, customer);
    EXPECT_TRUE(is_first) << customer << " and " << other->second << " both have " << email;
  }
  return owners;
}

int Receipts(const std::vector<TestApp::Pending>& answers) {
  int receipts = 0;
  for (const TestApp::Pending& answer : answers) {
    if (!answer->has_value() || !(*answer)->ok()) continue;
    receipts += std::holds_alternative<CommandReceipt>(***answer) ? 1 : 0;
  }
  return receipts;
}

TEST(AnAddress, GoesToOneOfManyWhoAskAtTheSameTime) {
  const std::vector<std::string> customers = {"anna", "ben", "cleo", "dora", "emil", "fay"};
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    TestApp app(CustomerParts(), {.seed = seed});
    std::vector<TestApp::Pending> answers;
    for (const std::string& customer : customers) answers.push_back(app.Start(Register(customer, "one@x.org")));
    app.Settle();
    EXPECT_EQ(Receipts(answers), 1);
    for (const TestApp::Pending& answer : answers) {
      ASSERT_TRUE(answer->has_value());
      ASSERT_TRUE((*answer)->ok()) << (*answer)->status();
    }
    EXPECT_EQ(OwnersOf(app, customers).size(), 1u);
    if (HasFailure()) return;
  }
}

// Two want to swap: nobody gets an address before the other one has left it, so neither does, and the third who asks
// for one of them gets it only from who has left.
TEST(AnAddress, HasOneOwnerHoweverItMoves) {
  const std::vector<std::string> customers = {"anna", "ben", "cleo"};
  int moved = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    TestApp app(CustomerParts(), {.seed = seed});
    app.Accepted(Register("anna", "a@x.org"));
    app.Accepted(Register("ben", "b@x.org"));
    std::vector<TestApp::Pending> answers = {app.Start(Change("anna", "b@x.org")), app.Start(Change("ben", "c@x.org")),
                                             app.Start(Register("cleo", "a@x.org")),
                                             app.Start(Change("ben", "a@x.org")), app.Start(Change("anna", "d@x.org"))};
    app.Settle();
    moved += Receipts(answers);
    OwnersOf(app, customers);
    if (HasFailure()) return;
  }
  EXPECT_GT(moved, 30) << "the commands got in each other's way every time";
}

// Whatever step a crash comes after, an address has one owner, and who was told so is it.
TEST(AnAddress, StaysWithItsOwnerAcrossACrash) {
  const std::vector<std::string> customers = {"anna", "ben", "cleo", "dora"};
  for (int steps = 0; steps < 60; ++steps) {
    SCOPED_TRACE(steps);
    TestApp app(CustomerParts(), {.seed = static_cast<std::uint64_t>(1 + steps)});
    std::vector<TestApp::Pending> answers;
    for (const std::string& customer : customers) {
      answers.push_back(app.Start(Register(customer, "one@x.org"), {.request_id = "of " + customer}));
    }
    for (int i = 0; i < steps && app.executor().RunOne(); ++i) continue;
    std::string told;
    for (std::size_t i = 0; i < customers.size(); ++i) {
      if (Receipts({answers[i]}) == 1) told = customers[i];
    }
    app.Crash();
    ASSERT_EQ(app.Open(), absl::OkStatus());
    std::string owner;
    for (const std::string& customer : customers) {
      const TestApp::Answer answer = app.Send(Register(customer, "one@x.org"), {.request_id = "of " + customer});
      ASSERT_TRUE(answer.ok()) << answer.status();
      if (std::holds_alternative<CommandReceipt>(*answer)) owner = customer;
    }
    EXPECT_TRUE(told.empty() || told == owner) << told << " was told so, and " << owner << " has it";
    EXPECT_EQ(OwnersOf(app, customers), (std::map<std::string, std::string>{{"one@x.org", owner}}));
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace shop::v1
