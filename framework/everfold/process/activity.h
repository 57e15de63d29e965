// An activity: a call of the outside that a process asks for, which is answered later. Authors write
//
//   struct AuthorizePayment {
//     static constexpr everfold::ActivityOptions kOptions{.name = "authorize_payment", .timeout = absl::Minutes(10)};
//     using Request = PaymentRequest;        // messages
//     using Result = PaymentAuthorization;
//     void Start(const Request& request, const everfold::ActivityCall& call,
//                everfold::ActivityDone<AuthorizePayment> done);
//   };
//
// Start begins the call, and does not block: it may run on any thread, for many calls at a time. Once, and from
// wherever, `done` is handed what came of the attempt:
//   a result                                                 the activity has ended with it
//   UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED,
//   ABORTED, UNKNOWN, INTERNAL, CANCELLED; Start throws      another attempt later, with the same key
//   any other status                                         no further attempt: this one had no effect
// It may be let go uncalled where the answer comes from elsewhere (Process::Answer): the attempt ends with its time.
//
// An attempt may happen more than once, also after a restart: whoever is called leaves out a key that it has seen, and
// gives the first answer again. At the end without a result, the activity has failed if no attempt can have had an
// effect (all were refused: RESOURCE_EXHAUSTED, ABORTED, or the last as above), else its outcome is unknown: so where
// an earlier one timed out or was begun before a restart, even if the last is refused. A "no" for good is a Result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/event/stream_id.h"

namespace everfold {

struct ActivityRetry {
  unsigned attempts = 5;                         // the first one included
  absl::Duration first_wait = absl::Seconds(1);  // doubled from wait to wait; each is drawn from its upper half
  absl::Duration longest_wait = absl::Minutes(1);
};

struct ActivityOptions {
  std::string_view name;                              // [a-z][a-z0-9_]*; it is recorded, so it stays
  absl::Duration timeout = absl::Minutes(5);          // of all attempts, from the step that asked for it
  absl::Duration attempt_timeout = absl::Minutes(1);  // of one
  ActivityRetry retry = {};
  // Attempts that are under way at a time, of all instances: from Start until `done` is called or let go, or the time
  // of the attempt is over. The others wait for their turn, and their activities' time goes on.
  std::size_t concurrency = 1000;
};

// May be copied, and kept for as long as the call takes.
struct ActivityCall {
  // The same for every attempt, also after a restart, and no other activity has it: what Steps::Run asks for again, has
  // another one. What must not happen twice then takes a key from the process's state, as a part of the request.
  std::string key;
  StreamId instance;    // that asks
  unsigned attempt;     // first is 1; after a restart they are counted anew
  absl::Time deadline;  // of the attempt
};

// The result, serialized, or a status that is not OK.
using AnyActivityDone = absl::AnyInvocable<void(absl::StatusOr<std::string>)>;

// Takes what came of an attempt. Threading: may be moved to any thread. Lifetime: it may outlive the process.
template <class A>
class ActivityDone {
 public:
  explicit ActivityDone(AnyActivityDone done) : done_(std::move(done)) {}

  void operator()(const typename A::Result& result) { Answer(result.SerializeAsString()); }
  // REQUIRES: it is not OK.
  void operator()(absl::Status status) { Answer(std::move(status)); }

 private:
  void Answer(absl::StatusOr<std::string> answer) {
    if (done_ != nullptr) std::exchange(done_, nullptr)(std::move(answer));
  }
  AnyActivityDone done_;
};

enum class OutcomeKind : std::uint8_t {
  kResult,   // Outcome::result
  kFailed,   // it had no effect
  kUnknown,  // nobody knows whether it had one
};

// How an activity ended: an input of the process. Lifetime: one call of React.
template <class A>
struct Outcome {
  const typename A::Request& request;  // as the process asked
  OutcomeKind kind;
  const typename A::Result& result;  // the default one unless `kind` is kResult
  const absl::Status& status;        // why there is no result

  bool has_result() const { return kind == OutcomeKind::kResult; }
  bool is_unknown() const { return kind == OutcomeKind::kUnknown; }
};

}  // namespace everfold
