#include "demo_steps.h"

#include <iostream>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "shop/v1/order.pb.h"
#include "tools/import/decimal.h"

namespace shop::v1 {
namespace {

void PrintAnswer(const std::string& answer) { std::cout << absl::StrFormat("   <- %s\n", answer); }

}  // namespace

void PrintLine(std::string_view name, std::string_view value) {
  std::cout << absl::StrFormat("     %-12s %18s\n", name, value);
}

void PrintAmount(std::string_view name, std::int64_t minor) {
  PrintLine(name, absl::StrFormat("%s BRL", everfold::FormatMinorUnits(minor, 2)));
}

void DemoSteps::Title(std::string_view title) { std::cout << absl::StrFormat("\n%d. %s\n", ++step_, title); }

void DemoSteps::Ask(std::string_view title, std::string_view method, const google::protobuf::Message& request) {
  Title(title);
  std::cout << absl::StrFormat("   -> %s  %s\n", method, request.ShortDebugString());
}

Outcome DemoSteps::Answer(const absl::Status& status, const everfold::v1::CommandReceipt& receipt) {
  WrongOrderStatus rejection;
  if (status.ok()) return Accepted(receipt);
  if (everfold::FindDetail(status, rejection)) {
    PrintAnswer(absl::StrFormat("rejected: WrongOrderStatus {%s}", rejection.ShortDebugString()));
    return Outcome::kRejected;
  }
  const bool invalid = everfold::ReasonOf(status) == everfold::reason::kCommandInvalid;
  PrintAnswer(absl::StrFormat("%s%s", invalid ? "invalid: " : "failed: ", everfold::Describe(status)));
  return invalid ? Outcome::kInvalid : Outcome::kFailed;
}

Outcome DemoSteps::Accepted(const everfold::v1::CommandReceipt& receipt) {
  PrintAnswer(absl::StrFormat("%s: %s is at version %d (commit %d of the store)",
                              receipt.repeated() ? "first receipt again" : "accepted", receipt.stream(),
                              receipt.version(), receipt.sequence()));
  if (receipt.repeated()) return Outcome::kRepeated;
  token_ = receipt.consistency_token();
  return Outcome::kAccepted;
}

void DemoSteps::AnswerFailed(const absl::Status& status) {
  PrintAnswer(absl::StrFormat("failed: %s", everfold::Describe(status)));
  as_promised_ = false;
}

}  // namespace shop::v1
