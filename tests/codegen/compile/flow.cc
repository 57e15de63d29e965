// Compiled with one of the macros below: what is wrong then must be told with the line to paste.
#include "everfold/process/process_type.h"
#include "flow/v1/flow.everfold.h"
#include "wallet/v1/wallet.everfold.h"

namespace flow::v1 {

using ::wallet::v1::Deposit;
using ::wallet::v1::Deposited;
using ::wallet::v1::Wallet;
using ::wallet::v1::Withdraw;
using ::wallet::v1::Withdrawn;

struct SendTransfer {
  static constexpr everfold::ActivityOptions kOptions{.name = "send_transfer"};
  using Request = Transfer;
  using Result = Transfer;
  void Start(const Transfer&, const everfold::ActivityCall&, everfold::ActivityDone<SendTransfer>) {}
};
struct CheckTransfer {
  static constexpr everfold::ActivityOptions kOptions{.name = "check_transfer"};
  using Request = Transfer;
  using Result = Transfer;
  void Start(const Transfer&, const everfold::ActivityCall&, everfold::ActivityDone<CheckTransfer>) {}
};
struct PayoutProcess {
  using Process = Payout;
  using Events = everfold::EventsOf<Wallet>;
  using Commands = everfold::Types<Deposit>;
  using Activities = everfold::Types<SendTransfer>;
  using Steps = everfold::Steps<PayoutProcess>;

#ifndef REACT_WITHOUT_ROUTE
  static everfold::Route Route(const Deposited&, const everfold::EventContext& c) {
    return everfold::Route::Start(c.id);
  }
#endif
#ifdef ROUTE_WITHOUT_REACT
  static everfold::Route Route(const Withdrawn&, const everfold::EventContext&) { return everfold::Route::Ignore(); }
#endif
#ifdef ROUTE_WITHOUT_CONTEXT
  static everfold::Route Route(const Withdrawn&) { return everfold::Route::Ignore(); }
#endif
#ifdef REACT_WITHOUT_STEPS
  static everfold::Route Route(const Withdrawn&, const everfold::EventContext&) { return everfold::Route::Ignore(); }
  static void React(Payout&, const Withdrawn&) {}
#endif

  static void React(Payout&, const Deposited&, Steps& steps) {
    steps.Send(::wallet::v1::MakeDeposit({}));
    steps.Run<SendTransfer>({});
#ifdef SENDS_AN_UNDECLARED_COMMAND
    steps.Send(::wallet::v1::MakeWithdraw({}));
#endif
#ifdef RUNS_AN_UNDECLARED_ACTIVITY
    steps.Run<CheckTransfer>({});
#endif
    steps.SetTimer("again", absl::Minutes(1));
  }
#ifndef MISSING_REACT_OF_A_REFUSAL
  static void React(Payout&, const everfold::Refused<Deposit>&, Steps&) {}
#endif
#ifndef MISSING_REACT_OF_AN_OUTCOME
  static void React(Payout&, const everfold::Outcome<SendTransfer>&, Steps&) {}
#endif
#ifndef MISSING_REACT_OF_TIMERS
  static void React(Payout&, const everfold::TimerFired&, Steps&) {}
#endif
};

everfold::ProcessType Type() {
#ifdef FOREIGN_ACTIVITY_OBJECT
  return everfold::MakeProcessType<PayoutProcess>(CheckTransfer());
#else
  return everfold::MakeProcessType<PayoutProcess>(SendTransfer());
#endif
}

}  // namespace flow::v1
