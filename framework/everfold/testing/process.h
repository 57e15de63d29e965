// Tests of processes, without a store:
//
//   Process<FulfilmentProcess>(InStream("o1", MakeOrderPlaced({.item_id = "pen", .quantity = 2})))
//       .ThenSent(MakeReserveItem({.item_id = "pen", .order_id = "o1", .quantity = 2}))
//       .Takes(InStream("pen", MakeItemReserved({.order_id = "o1", .quantity = 2})))
//       .ThenRan<AuthorizePayment>(MakePaymentRequest({.order_id = "o1", .amount_minor = 200}))
//       .Answers<AuthorizePayment>(MakePaymentAuthorization({.authorization_id = "a1"}))
//       .ThenSent(MakeCompleteOrder({.order_id = "o1"}));
//
// Time stands still at 2026-01-01T00:00:00Z but for Advance, which fires the timers that fall due, each at its time.
// What the process sends goes nowhere: the test says what comes back; of several alike for the oldest one of the
// instance whose id comes first. Commands and activities of several instances come in the order of the inputs. Each
// Then looks at what was sent, or run, since the last one of its kind. Failures are reported to GoogleTest, with what
// was expected beside what came, after which input, and at which Then, counted from 1.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "everfold/process/process_type.h"
#include "everfold/testing/message_text.h"
#include "everfold/testing/project.h"
#include "google/protobuf/message.h"

namespace everfold::testing {

// A process and its instances. Threading: one thread.
class ProcessRun {
 public:
  explicit ProcessRun(ProcessType type);
  ~ProcessRun();
  ProcessRun(ProcessRun&&) noexcept;

  // Further events, in this order.
  ProcessRun& Takes(const std::vector<GivenEvent>& events);
  ProcessRun& Advance(absl::Duration by);

  // The activity A ends.
  template <class A>
  ProcessRun& Answers(const typename A::Result& result) {
    return EndActivity(std::string(A::kOptions.name),
                       {.kind = OutcomeKind::kResult, .result = result.SerializeAsString(), .status = {}});
  }
  template <class A>
  ProcessRun& Fails(absl::Status status) {
    return EndActivity(std::string(A::kOptions.name),
                       {.kind = OutcomeKind::kFailed, .result = "", .status = std::move(status)});
  }
  // Nobody knows whether it had an effect.
  template <class A>
  ProcessRun& EndsUnknown(absl::Status status = absl::DeadlineExceededError("no answer")) {
    return EndActivity(std::string(A::kOptions.name),
                       {.kind = OutcomeKind::kUnknown, .result = "", .status = std::move(status)});
  }
  // The command C is rejected by its aggregate.
  template <class C, class R>
  ProcessRun& Rejects(const R& rejection) {
    return Refuse(
        CommandTraits<C>::kName,
        {.status = absl::Status(RejectionTraits<R>::kCode, std::string("rejected: ") + RejectionTraits<R>::kName),
         .rejection_type = RejectionTraits<R>::kName,
         .rejection = rejection.SerializeAsString()});
  }
  // The framework refuses it, for example because its stream is not there.
  template <class C>
  ProcessRun& Refuses(absl::Status status) {
    return Refuse(CommandTraits<C>::kName, {.status = std::move(status), .rejection_type = "", .rejection = ""});
  }

  // Exactly these commands, in this order.
  template <class... C>
  ProcessRun& ThenSent(const C&... commands) {
    static_assert(sizeof...(C) > 0, "to expect no command, write ThenSentNothing()");
    return ExpectSent({TextOf(commands)...});
  }
  ProcessRun& ThenSentNothing() { return ExpectSent({}); }
  // Exactly one activity, with this request.
  template <class A>
  ProcessRun& ThenRan(const typename A::Request& request) {
    return ExpectRan({std::string(A::kOptions.name) + " " + TextOf(request)});
  }
  ProcessRun& ThenRanNothing() { return ExpectRan({}); }

  // Of the instance:
  ProcessRun& ThenState(const google::protobuf::Message& state);  // whose id it has
  // The timer is set, and due in so long from now.
  ProcessRun& ThenTimer(const std::string& id, const std::string& name, absl::Duration in);
  ProcessRun& ThenNoTimer(const std::string& id);
  ProcessRun& ThenDone(const std::string& id);
  ProcessRun& ThenOpen(const std::string& id);
  // The last input has parked its instance, with an error that has this in its text. Without it, parking is a failure.
  // What comes in for the instance from then on waits, as it does in an application until an operator has looked.
  ProcessRun& ThenParked(const std::string& text);

 private:
  struct State;
  ProcessRun& EndActivity(const std::string& activity, AnyOutcome outcome);
  ProcessRun& Refuse(const std::string& command, AnyRefusal refusal);
  ProcessRun& ExpectSent(const std::vector<std::string>& commands);
  ProcessRun& ExpectRan(const std::vector<std::string>& activities);

  std::unique_ptr<State> state_;
};

// Streams one after the other, as if each had been written before the next. Activities need no object here.
template <class P, class... Streams>
ProcessRun Process(const Streams&... streams) {
  ProcessRun run(MakePureProcessType<P>());
  (run.Takes(streams), ...);
  return run;
}

}  // namespace everfold::testing
