// One fault at a time around superseded events, by macro; without any it compiles.
#include "account/v1/account.everfold.h"

namespace account::v1 {

using everfold::Context;
using everfold::Decision;
using everfold::Emit;
using everfold::EventContext;

struct AccountDecider {
  using Aggregate = Account;
#if defined(EMITS_A_SUPERSEDED_EVENT)
  static Decision<Account> Decide(const Account&, const Credit&, Context&) { return Emit(MakeCreditedInCents({})); }
#else
  static Decision<Account> Decide(const Account&, const Credit&, Context&) { return Emit(MakeCredited({})); }
#endif
  static void Evolve(Account&, const Closed&) {}
  static void Evolve(Account&, const Credited&) {}
  static Credited Upcast(const CreditedInCents&) { return {}; }
#if defined(UPCAST_TO_ANOTHER_EVENT)
  static Credited Upcast(const CreditedInEuros&) { return {}; }
#elif !defined(MISSING_UPCAST)
  static CreditedInCents Upcast(const CreditedInEuros&) { return {}; }
#endif
};

struct Balances {
  static constexpr everfold::ProjectionOptions kOptions{.name = "balances", .revision = 1};
  using Events = everfold::EventsOf<Account>;
  using ReadModels = everfold::Tables<AccountBalance>;
  static void On(const Credited&, const EventContext&, ReadModels&) {}
#if defined(ON_OF_A_SUPERSEDED_EVENT)
  static void On(const CreditedInCents&, const EventContext&, ReadModels&) {}
#endif
};

everfold::AggregateType Aggregate() { return everfold::MakeAggregateType<AccountDecider>(); }
everfold::ProjectionType Projection() { return everfold::MakeProjectionType<Balances>(); }

}  // namespace account::v1
