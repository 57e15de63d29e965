// One fault at a time, by macro; without any it compiles.
#include "wallet/v1/wallet.everfold.h"

namespace wallet::v1 {

using everfold::Context;
using everfold::Decision;
using everfold::Emit;
using everfold::EventContext;
using everfold::Reject;

// Converts into every event and command.
struct Anything {
  template <class M>
  Anything(const M&) {}  // NOLINT
};

struct WalletDecider {
  using Aggregate = Wallet;

  static Decision<Wallet> Decide(const Wallet&, const OpenWallet&, Context&) { return Emit(MakeWalletOpened()); }
#if defined(DECIDE_WITH_OTHER_RESULT)
  static auto Decide(const Wallet&, const Deposit&, Context&) { return Emit(MakeDeposited({})); }
#elif defined(DECIDE_BY_CONVERSION)
  static Decision<Wallet> Decide(const Wallet&, Anything, Context&) { return Emit(MakeDeposited({})); }
#elif defined(EMITS_A_FOREIGN_EVENT)
  static Decision<Wallet> Decide(const Wallet&, const Deposit& c, Context&) { return Emit(c); }
#elif defined(REJECTS_WITH_AN_EVENT)
  static Decision<Wallet> Decide(const Wallet&, const Deposit&, Context&) { return Reject(MakeDeposited({})); }
#elif !defined(MISSING_DECIDE)
  static Decision<Wallet> Decide(const Wallet&, const Deposit&, Context&) { return Emit(MakeDeposited({})); }
#endif
  static Decision<Wallet> Decide(const Wallet&, const Withdraw&, Context&) {
    return Reject(MakeInsufficientFunds({.missing_minor = 1}));
  }

  static void Evolve(Wallet&, const WalletOpened&) {}
#if defined(EVOLVE_BY_CONVERSION)
  static void Evolve(Wallet&, Anything) {}
#elif !defined(MISSING_EVOLVE)
  static void Evolve(Wallet&, const Deposited&) {}
#endif
  static void Evolve(Wallet&, const Withdrawn&) {}
};

struct OtherContext {};

struct Balances {
  static constexpr everfold::ProjectionOptions kOptions{.name = "balances", .revision = 1};
  using Events = everfold::EventsOf<Wallet>;
  using ReadModels = everfold::Tables<WalletBalance>;
#if !defined(NO_ON_AT_ALL)
  static void On(const Withdrawn&, const EventContext&, ReadModels&) {}
#endif
#if defined(ON_WITHOUT_READ_MODELS)
  static void On(const Deposited&, const EventContext&) {}
#elif defined(ON_OF_A_MUTABLE_EVENT)
  static void On(Deposited&, const EventContext&, ReadModels&) {}
#elif defined(ON_NOT_STATIC)
  void On(const Deposited&, const EventContext&, ReadModels&) {}
#elif defined(ON_IN_ANOTHER_ORDER)
  static void On(const EventContext&, const Deposited&, ReadModels&) {}
#elif defined(ON_WITH_OTHER_CONTEXT)
  static void On(const Deposited&, const OtherContext&, ReadModels&) {}
#elif !defined(NO_ON_AT_ALL)
  static void On(const Deposited&, const EventContext&, ReadModels&) {}
#endif
};

everfold::AggregateType Aggregate() { return everfold::MakeAggregateType<WalletDecider>(); }
everfold::ProjectionType Projection() { return everfold::MakeProjectionType<Balances>(); }

}  // namespace wallet::v1
