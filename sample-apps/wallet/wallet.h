// The wallet's domain: what each command leads to, what each event means, and the balances that queries see.
#pragma once

#include "wallet/v1/wallet.everfold.h"

namespace wallet::v1 {

using everfold::Context, everfold::Decision, everfold::Emit, everfold::EventContext, everfold::Reject;

struct WalletDecider {
  using Aggregate = Wallet;
  static constexpr std::int64_t kMaxBalanceMinor = 1'000'000'000'000'000;  // 10 trillion, far from overflow

  static Decision<Wallet> Decide(const Wallet&, const OpenWallet&, Context&) { return Emit(MakeWalletOpened({})); }
  static Decision<Wallet> Decide(const Wallet& s, const Deposit& c, Context&) {
    if (const auto room = kMaxBalanceMinor - s.balance_minor(); c.amount_minor() > room)
      return Reject(MakeLimitExceeded({.room_minor = room}));
    return Emit(MakeDeposited({.amount_minor = c.amount_minor()}));
  }
  static Decision<Wallet> Decide(const Wallet& s, const Withdraw& c, Context&) {
    if (const auto missing = c.amount_minor() - s.balance_minor(); missing > 0)
      return Reject(MakeInsufficientFunds({.missing_minor = missing}));
    return Emit(MakeWithdrawn({.amount_minor = c.amount_minor()}));
  }

  static void Evolve(Wallet&, const WalletOpened&) {}
  static void Evolve(Wallet& s, const Deposited& e) { s.set_balance_minor(s.balance_minor() + e.amount_minor()); }
  static void Evolve(Wallet& s, const Withdrawn& e) { s.set_balance_minor(s.balance_minor() - e.amount_minor()); }
};

struct Balances {
  static constexpr everfold::ProjectionOptions kOptions{.name = "balances", .revision = 1};
  using Events = everfold::EventsOf<Wallet>;
  using ReadModels = everfold::Tables<WalletBalance>;

  static void On(const WalletOpened&, const EventContext& c, ReadModels& t) { Add(c.id, 0, t); }
  static void On(const Deposited& e, const EventContext& c, ReadModels& t) { Add(c.id, e.amount_minor(), t); }
  static void On(const Withdrawn& e, const EventContext& c, ReadModels& t) { Add(c.id, -e.amount_minor(), t); }

 private:
  static void Add(const std::string& wallet, std::int64_t amount, ReadModels& t) {
    t.Of<WalletBalance>().Edit(wallet,
                               [&](WalletBalance& row) { row.set_balance_minor(row.balance_minor() + amount); });
  }
};

}  // namespace wallet::v1
