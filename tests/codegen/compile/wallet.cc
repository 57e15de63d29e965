// One fault at a time, by macro; without any it compiles.
#include "everfold/reaction/reactor_type.h"
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

struct Mails {
  static constexpr everfold::ReactorOptions kOptions{.name = "mails"};
  using Events = everfold::EventsOf<Wallet>;
#if !defined(NO_REACTION_AT_ALL)
  static absl::Status On(const Withdrawn&, const everfold::Reaction&) { return absl::OkStatus(); }
#endif
#if defined(REACTION_WITHOUT_RESULT)
  void On(const Deposited&, const everfold::Reaction&) {}
#elif defined(REACTION_WITH_OTHER_CONTEXT)
  absl::Status On(const Deposited&, const EventContext&) { return absl::OkStatus(); }
#elif defined(REACTION_TO_A_MUTABLE_EVENT)
  absl::Status On(Deposited&, const everfold::Reaction&) { return absl::OkStatus(); }
#elif !defined(NO_REACTION_AT_ALL)
  absl::Status On(const Deposited&, const everfold::Reaction&) { return absl::OkStatus(); }
#endif
};

everfold::ReactorType Reactor() { return everfold::MakeReactorType<Mails>(); }
everfold::AggregateType Aggregate() { return everfold::MakeAggregateType<WalletDecider>(); }
everfold::ProjectionType Projection() { return everfold::MakeProjectionType<Balances>(); }

}  // namespace wallet::v1
