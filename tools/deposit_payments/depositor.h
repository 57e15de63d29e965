// Deposits payments into the wallets of their payment methods, over gRPC and many at a time.
//
// Every call carries a request_id that follows from the payment, so whatever is sent twice (by a retry, or by a second
// run over the same file) is answered with the first receipt and changes nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "grpcpp/channel.h"
#include "tools/deposit_payments/payment_file.h"
#include "tools/import/call_window.h"
#include "wallet/v1/wallet_api.grpc.pb.h"

namespace everfold {

// What became of the payments.
struct DepositCounts {
  std::int64_t deposits = 0;  // added now
  std::int64_t repeated = 0;  // had been added before
  std::int64_t refused = 0;   // broke a field rule
  std::int64_t failed = 0;    // anything else
  std::int64_t total() const { return deposits + repeated + refused + failed; }
};

// Threading: one thread.
class Depositor {
 public:
  // Called for each payment that was not deposited.
  using Report = std::function<void(const Payment& payment, const absl::Status& why)>;

  Depositor(std::shared_ptr<grpc::Channel> channel, CallWindow::Options options, Report report);

  // Opens the wallet unless it is open. Waits for the answer.
  absl::Status OpenWallet(const std::string& wallet);
  // Returns as soon as the payment is on its way. The payment outlives the next Drain.
  void Deposit(const Payment& payment);
  // Waits for all deposits.
  void Drain() { window_.Drain(); }

  // A wallet's balance, from a state that includes every deposit that was answered.
  absl::StatusOr<std::int64_t> BalanceOf(const std::string& wallet);

  const DepositCounts& counts() const { return counts_; }
  int repeats() const { return window_.repeats(); }

 private:
  // The last receipt of a wallet.
  struct Newest {
    std::uint64_t version = 0;
    std::string consistency_token;
  };

  void Count(const Payment& payment, const absl::Status& status, const everfold::v1::CommandReceipt& receipt);
  void Remember(const std::string& wallet, const everfold::v1::CommandReceipt& receipt);

  const Report report_;
  std::unique_ptr<wallet::v1::WalletCommandService::Stub> commands_;
  std::unique_ptr<wallet::v1::WalletBalanceQueryService::Stub> queries_;
  std::map<std::string, Newest> newest_;
  DepositCounts counts_;
  CallWindow window_;
};

}  // namespace everfold
