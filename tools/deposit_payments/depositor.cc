#include "tools/deposit_payments/depositor.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "google/rpc/error_details.pb.h"
#include "tools/import/unary_call.h"

namespace everfold {
namespace {

using Commands = wallet::v1::WalletCommandService::Stub::async_interface;
using Queries = wallet::v1::WalletBalanceQueryService::Stub::async_interface;
using wallet::v1::DepositRequest;
using wallet::v1::DepositResponse;
using wallet::v1::GetWalletBalanceRequest;
using wallet::v1::GetWalletBalanceResponse;
using wallet::v1::OpenWalletRequest;
using wallet::v1::OpenWalletResponse;

bool IsFieldRule(const absl::Status& status) { return ReasonOf(status) == reason::kCommandInvalid; }

DepositRequest ToRequest(const Payment& payment) {
  DepositRequest request;
  request.mutable_command()->set_wallet_id(payment.method);
  request.mutable_command()->set_amount_minor(payment.amount_minor);
  request.set_request_id(absl::StrFormat("%s:%s", payment.order_id, payment.sequential));
  return request;
}

}  // namespace

Depositor::Depositor(std::shared_ptr<grpc::Channel> channel, CallWindow::Options options, Report report)
    : report_(std::move(report)),
      commands_(wallet::v1::WalletCommandService::NewStub(channel)),
      queries_(wallet::v1::WalletBalanceQueryService::NewStub(channel)),
      window_(options) {}

absl::Status Depositor::OpenWallet(const std::string& wallet) {
  OpenWalletRequest request;
  request.mutable_command()->set_wallet_id(wallet);
  request.set_request_id("deposit-payments:open:" + wallet);
  OpenWalletResponse response;
  const absl::Status status = CallAndWait(window_, *commands_, &Commands::OpenWallet, request, response);
  if (absl::IsAlreadyExists(status)) return absl::OkStatus();
  if (status.ok()) Remember(wallet, response.receipt());
  return status;
}

void Depositor::Deposit(const Payment& payment) {
  auto exchange = std::make_shared<Exchange<DepositRequest, DepositResponse>>();
  exchange->request = ToRequest(payment);
  window_.Call(Send(*commands_, &Commands::Deposit, exchange), [this, &payment, exchange](const absl::Status& status) {
    Count(payment, status, exchange->response.receipt());
  });
}

void Depositor::Count(const Payment& payment, const absl::Status& status, const v1::CommandReceipt& receipt) {
  if (status.ok()) {
    ++(receipt.repeated() ? counts_.repeated : counts_.deposits);
    return Remember(payment.method, receipt);
  }
  ++(IsFieldRule(status) ? counts_.refused : counts_.failed);
  report_(payment, status);
}

void Depositor::Remember(const std::string& wallet, const v1::CommandReceipt& receipt) {
  Newest& newest = newest_[wallet];
  if (receipt.version() < newest.version) return;
  newest = {receipt.version(), receipt.consistency_token()};
}

absl::StatusOr<std::int64_t> Depositor::BalanceOf(const std::string& wallet) {
  GetWalletBalanceRequest request;
  request.set_wallet_id(wallet);
  request.set_consistency_token(newest_[wallet].consistency_token);
  GetWalletBalanceResponse response;
  const absl::Status status = CallAndWait(window_, *queries_, &Queries::GetWalletBalance, request, response);
  if (!status.ok()) return status;
  return response.wallet_balance().balance_minor();
}

}  // namespace everfold
