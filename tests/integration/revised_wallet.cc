// The wallet of the next deploy: the code of its balances is another one, which counts everything twice, so that a test
// sees by a row which of the two has built it.
#include "everfold/app/app.h"
#include "sample-apps/wallet/wallet.h"

namespace wallet::v1 {
namespace {

struct RevisedBalances {
  static constexpr everfold::ProjectionOptions kOptions{.name = "balances", .revision = 2};
  using Events = everfold::EventsOf<Wallet>;
  using ReadModels = everfold::Tables<WalletBalance>;

  static void On(const WalletOpened&, const EventContext& c, ReadModels& t) { Add(c.id, 0, t); }
  static void On(const Deposited& e, const EventContext& c, ReadModels& t) { Add(c.id, 2 * e.amount_minor(), t); }
  static void On(const Withdrawn& e, const EventContext& c, ReadModels& t) { Add(c.id, -2 * e.amount_minor(), t); }

 private:
  static void Add(const std::string& wallet, std::int64_t amount, ReadModels& t) {
    t.Of<WalletBalance>().Edit(wallet,
                               [&](WalletBalance& row) { row.set_balance_minor(row.balance_minor() + amount); });
  }
};

}  // namespace
}  // namespace wallet::v1

int main(int argc, char** argv) {
  return everfold::App("wallet")
      .Aggregate<wallet::v1::WalletDecider>()
      .Projection<wallet::v1::RevisedBalances>()
      .Main(argc, argv);
}
