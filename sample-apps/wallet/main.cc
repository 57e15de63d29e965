#include "everfold/app/app.h"
#include "wallet.h"

int main(int argc, char** argv) {
  return everfold::App("wallet")
      .Aggregate<wallet::v1::WalletDecider>()
      .Projection<wallet::v1::Balances>()
      .Main(argc, argv);
}
