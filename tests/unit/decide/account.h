// A decider whose events have changed, for tests of how stored ones are read.
#pragma once

#include <stdexcept>

#include "account/v1/account.everfold.h"

namespace everfold {

// Throws where an amount asks for it.
struct AccountDecider {
  using Aggregate = account::v1::Account;

  static Decision<Aggregate> Decide(const Aggregate&, const account::v1::Credit& c, Context&) {
    return Emit(account::v1::MakeCredited({.amount_minor = c.amount_minor(), .currency = "USD"}));
  }
  static void Evolve(Aggregate&, const account::v1::Closed&) {}
  static void Evolve(Aggregate& s, const account::v1::Credited& e) {
    s.set_balance_minor(s.balance_minor() + e.amount_minor());
  }
  static account::v1::Credited Upcast(const account::v1::CreditedInCents& e) {
    if (e.cents() == 13) throw std::runtime_error("unlucky");
    return account::v1::MakeCredited({.amount_minor = e.cents(), .currency = "EUR"});
  }
  static account::v1::CreditedInCents Upcast(const account::v1::CreditedInEuros& e) {
    return account::v1::MakeCreditedInCents({.cents = 100 * e.euros()});
  }
};

// Rows of what was credited.
struct AccountBalances {
  static constexpr ProjectionOptions kOptions{.name = "account_balances", .revision = 1};
  using Events = EventsOf<account::v1::Account>;
  using ReadModels = Tables<account::v1::AccountBalance>;
  static void On(const account::v1::Credited& e, const EventContext& c, ReadModels& t) {
    t.Of<account::v1::AccountBalance>().Edit(c.id, [&e](account::v1::AccountBalance& row) {
      row.set_balance_minor(row.balance_minor() + e.amount_minor());
      row.set_currency(e.currency());
    });
  }
};

}  // namespace everfold
