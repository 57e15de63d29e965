// A client of the wallet app, in plain gRPC: plays a short session against a running server and prints each request and
// its answer. Ends with 0 if every answer was the expected one.
#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "tools/import/rpc_status.h"
#include "wallet/v1/wallet_api.grpc.pb.h"

namespace wallet::v1 {
namespace {

using Commands = WalletCommandService::Stub;
using Queries = WalletBalanceQueryService::Stub;

template <class Stub, class Request, class Response>
using Method = grpc::Status (Stub::*)(grpc::ClientContext*, const Request&, Response*);

template <class Stub, class Request, class Response>
absl::Status Call(Stub& stub, Method<Stub, Request, Response> method, const Request& request, Response& response) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  return everfold::FromGrpc((stub.*method)(&context, request, &response));
}

template <class Request>
Request CommandRequest(const std::string& wallet, std::int64_t amount_minor, const std::string& request_id) {
  Request request;
  request.mutable_command()->set_wallet_id(wallet);
  request.mutable_command()->set_amount_minor(amount_minor);
  request.set_request_id(request_id);
  return request;
}

enum class Outcome { kAccepted, kRepeated, kRejected, kInvalid, kFailed };

class Session {
 public:
  explicit Session(std::shared_ptr<grpc::Channel> channel)
      : commands_(WalletCommandService::NewStub(channel)), queries_(WalletBalanceQueryService::NewStub(channel)) {}

  // True if every answer was the one that its title promises.
  bool Play() {
    if (!Open()) return false;
    Deposit("Money goes in. The answer comes when the event is on disk", 10000, "deposit-1", Outcome::kAccepted);
    Withdraw("Money goes out", 3000, "withdraw-1", Outcome::kAccepted);
    Withdraw("More than is there: the business rule in Decide says no, with a typed rejection", 12000, "withdraw-2",
             Outcome::kRejected);
    Deposit("A negative amount: the field rule in wallet.proto says no, before Decide is asked", -500, "deposit-2",
            Outcome::kInvalid);
    Deposit("The first deposit once more, as a client sends it that got no answer", 10000, "deposit-1",
            Outcome::kRepeated);
    Read();
    return as_promised_;
  }

 private:
  // Each run has a wallet of its own: alice-1, then alice-2, ...
  bool Open() {
    OpenWalletRequest request;
    OpenWalletResponse response;
    absl::Status status;
    int number = 0;
    do {
      wallet_ = absl::StrFormat("alice-%d", ++number);
      request.mutable_command()->set_wallet_id(wallet_);
      status = Call(*commands_, &Commands::OpenWallet, request, response);
    } while (absl::IsAlreadyExists(status));
    Show("A wallet is opened", "OpenWallet", request);
    return Show(status, response.receipt()) == Outcome::kAccepted;
  }

  void Deposit(const char* title, std::int64_t amount_minor, const char* request_name, Outcome promised) {
    DepositResponse response;
    const auto request = CommandRequest<DepositRequest>(wallet_, amount_minor, RequestId(request_name));
    Show(title, "Deposit", request);
    const absl::Status status = Call(*commands_, &Commands::Deposit, request, response);
    as_promised_ &= Show(status, response.receipt()) == promised;
  }

  void Withdraw(const char* title, std::int64_t amount_minor, const char* request_name, Outcome promised) {
    WithdrawResponse response;
    const auto request = CommandRequest<WithdrawRequest>(wallet_, amount_minor, RequestId(request_name));
    Show(title, "Withdraw", request);
    const absl::Status status = Call(*commands_, &Commands::Withdraw, request, response);
    as_promised_ &= Show(status, response.receipt()) == promised;
  }

  void Read() {
    GetWalletBalanceRequest request;
    GetWalletBalanceResponse response;
    request.set_wallet_id(wallet_);
    request.set_consistency_token(token_);
    Show("The balance, read with the token of the last receipt: no older state may answer", "GetWalletBalance",
         request);
    const absl::Status status = Call(*queries_, &Queries::GetWalletBalance, request, response);
    ShowAnswer(status.ok() ? response.ShortDebugString() : everfold::Describe(status));
    as_promised_ &= response.wallet_balance().balance_minor() == 7000;
  }

  std::string RequestId(const char* request_name) const { return absl::StrFormat("%s/%s", wallet_, request_name); }

  void Show(const char* title, const char* method, const google::protobuf::Message& request) {
    std::cout << absl::StrFormat("\n%d. %s\n   -> %s  %s\n", ++step_, title, method, request.ShortDebugString());
  }

  Outcome Show(const absl::Status& status, const everfold::v1::CommandReceipt& receipt) {
    InsufficientFunds rejection;
    if (status.ok()) return ShowAccepted(receipt);
    if (everfold::FindDetail(status, rejection)) {
      ShowAnswer(absl::StrFormat("rejected: InsufficientFunds {%s}", rejection.ShortDebugString()));
      return Outcome::kRejected;
    }
    const bool invalid = everfold::ReasonOf(status) == everfold::reason::kCommandInvalid;
    ShowAnswer(absl::StrFormat("%s%s", invalid ? "invalid: " : "failed: ", everfold::Describe(status)));
    return invalid ? Outcome::kInvalid : Outcome::kFailed;
  }

  Outcome ShowAccepted(const everfold::v1::CommandReceipt& receipt) {
    ShowAnswer(absl::StrFormat("%s: %s is at version %d (commit %d of the store)",
                               receipt.repeated() ? "first receipt again" : "accepted", receipt.stream(),
                               receipt.version(), receipt.sequence()));
    if (receipt.repeated()) return Outcome::kRepeated;
    token_ = receipt.consistency_token();
    return Outcome::kAccepted;
  }

  void ShowAnswer(const std::string& answer) { std::cout << absl::StrFormat("   <- %s\n", answer); }

  std::unique_ptr<Commands> commands_;
  std::unique_ptr<Queries> queries_;
  std::string wallet_;
  std::string token_;  // of the last receipt
  int step_ = 0;
  bool as_promised_ = true;
};

}  // namespace
}  // namespace wallet::v1

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: wallet_demo_session ADDRESS\n";
    return 2;
  }
  wallet::v1::Session session(grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials()));
  return session.Play() ? 0 : 1;
}
