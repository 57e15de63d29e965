#include "everfold/testing/project.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "tests/unit/decide/account.h"

namespace everfold::testing {
namespace {

using account::v1::AccountBalance;
using account::v1::Closed;
using account::v1::MakeAccountBalance;
using account::v1::MakeCredited;
using account::v1::MakeCreditedInCents;
using account::v1::MakeCreditedInEuros;

// Of events that nobody has changed.
struct ClosedAccounts {
  static constexpr ProjectionOptions kOptions{.name = "closed_accounts", .revision = 1};
  using Events = EventsOf<account::v1::Account>;
  using ReadModels = Tables<AccountBalance>;
  static void On(const Closed&, const EventContext& c, ReadModels& t) {
    t.Of<AccountBalance>().Edit(c.id, [](AccountBalance& row) { row.set_currency("closed"); });
  }
};

auto Row(const std::string& account, std::int64_t balance, const std::string& currency) {
  return MakeAccountBalance({.account_id = account, .balance_minor = balance, .currency = currency});
}

TEST(Project, FoldsEventsOfTodayWithOrWithoutADecider) {
  const auto credited = InStream("a1", MakeCredited({.amount_minor = 7, .currency = "USD"}));
  Project<AccountBalances>(credited).ExpectRows(Row("a1", 7, "USD"));
  Project<AccountBalances, AccountDecider>(credited).ExpectRows(Row("a1", 7, "USD"));
}

TEST(Project, UpcastsSupersededEventsOneAfterTheOther) {
  Project<AccountBalances, AccountDecider>(
      InStream("a1", MakeCreditedInCents({.cents = 5}), MakeCreditedInEuros({.euros = 2})),
      InStream("a2", MakeCreditedInCents({.cents = 1}), MakeCredited({.amount_minor = 7, .currency = "USD"})))
      .ExpectRows(Row("a1", 205, "EUR"), Row("a2", 8, "USD"));
}

TEST(Project, GoesOnWithMoreEvents) {
  Projected projected = Project<AccountBalances, AccountDecider>(InStream("a1", MakeCreditedInCents({.cents = 5})));
  projected.Apply(InStream("a1", MakeCreditedInCents({.cents = 6})));
  projected.ExpectRows(Row("a1", 11, "EUR"));
}

TEST(Project, PassesOverWhatBecomesAnEventThatTheProjectionDoesNotHandle) {
  Project<ClosedAccounts, AccountDecider>(InStream("a1", MakeCreditedInCents({.cents = 5})))
      .ExpectNoRows<AccountBalance>();
}

TEST(Project, AsksForTheDeciderOfASupersededEvent) {
  EXPECT_NONFATAL_FAILURE(Project<AccountBalances>(InStream("a1", MakeCreditedInCents({.cents = 5}))),
                          "is superseded: name the decider of account that upcasts it");
}

TEST(Project, TellsRowsThatDiffer) {
  EXPECT_NONFATAL_FAILURE((Project<AccountBalances, AccountDecider>(InStream("a1", MakeCreditedInCents({.cents = 5})))
                               .ExpectRows(Row("a1", 6, "EUR"))),
                          "account.v1.AccountBalance");
}

// Says that its handlers commute: the sums do, and what came last does not.
struct LastCurrency {
  static constexpr ProjectionOptions kOptions{
      .name = "last_currency", .revision = 1, .order = ProjectionOrder::kPerPartition};
  using Events = EventsOf<account::v1::Account>;
  using ReadModels = Tables<AccountBalance>;
  static void On(const account::v1::Credited& e, const EventContext&, ReadModels& t) {
    t.Of<AccountBalance>().Edit(std::string("all"), [&e](AccountBalance& row) {
      row.set_balance_minor(row.balance_minor() + e.amount_minor());
      row.set_currency(e.currency());
    });
  }
};

TEST(ProjectPerPartition, RowsThatDoNotDependOnTheOrderAreRight) {
  Project<LastCurrency>(InStream("a1", MakeCredited({.amount_minor = 7, .currency = "USD"})),
                        InStream("a2", MakeCredited({.amount_minor = 5, .currency = "USD"})))
      .ExpectRows(Row("all", 12, "USD"));
}

TEST(ProjectPerPartition, OrderWithinAStreamAndAPlacementIsKept) {
  Project<LastCurrency>(InStream("{p}1", MakeCredited({.amount_minor = 7, .currency = "USD"}),
                                 MakeCredited({.amount_minor = 1, .currency = "CHF"})),
                        InStream("{p}2", MakeCredited({.amount_minor = 5, .currency = "EUR"})))
      .ExpectRows(Row("all", 13, "EUR"));
}

TEST(ProjectPerPartition, TellsRowsThatDependOnTheOrderOfPartitions) {
  const auto project = [] {
    Project<LastCurrency>(InStream("a1", MakeCredited({.amount_minor = 7, .currency = "USD"})),
                          InStream("a2", MakeCredited({.amount_minor = 5, .currency = "EUR"})))
        .ExpectRows(Row("all", 12, "EUR"));
  };
  EXPECT_NONFATAL_FAILURE(project(),
                          "last_currency is kPerPartition, and its rows depend on the order of partitions\n"
                          "as given:\n"
                          "  account_balance: account_id = 'all', balance_minor = 12, currency = 'EUR'\n"
                          "in another order:\n"
                          "  account_balance: account_id = 'all', balance_minor = 12, currency = 'USD'\n"
                          "which was:\n"
                          "  account/a2 Credited {amount_minor: 5 currency: \"EUR\"}\n"
                          "  account/a1 Credited {amount_minor: 7 currency: \"USD\"}");
}

}  // namespace
}  // namespace everfold::testing
