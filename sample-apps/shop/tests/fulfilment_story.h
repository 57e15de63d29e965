// A fulfilment's life as a test tells it: what comes in, and what it orders then. Pure: no store, no provider, no
// clock.
//
//   FulfilmentStory().On(Placed()).ThenSent(MakeReserveStock({...})).Advance(absl::Minutes(31)).ThenSent(...);
#pragma once

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "everfold/base/random.h"
#include "everfold/base/timestamp.h"
#include "everfold/process/process_step.h"
#include "everfold/testing/message_text.h"
#include "gtest/gtest.h"
#include "processes/fulfilment.h"
#include "shop_samples.h"

namespace shop::v1 {

// Threading: one thread. Failures are GoogleTest's.
class FulfilmentStory {
 public:
  FulfilmentStory()
      : type_(everfold::MakeProcessType<FulfilmentProcess>(AuthorizeAtProvider(nullptr), CaptureAtProvider(nullptr),
                                                           ReleaseAtProvider(nullptr), RefundAtProvider(nullptr))) {
    instance_.stream = {"", type_.StreamAggregate(), "o1"};
    instance_.state.reset(type_.initial_state->New());
  }

  // An event of the stream with this id.
  template <class E>
  FulfilmentStory& On(const E& event, const std::string& id = "o1") {
    using Aggregate = typename everfold::EventTraits<E>::Aggregate;
    everfold::TakenEvent taken;
    ++sequence_;
    taken.place = {.stream = {"", everfold::AggregateOf<Aggregate>::kName, id},
                   .version = everfold::Version(sequence_),
                   .position = {everfold::PartitionId(0), everfold::Offset(sequence_)},
                   .sequence = everfold::Sequence(sequence_)};
    taken.type = event.GetDescriptor()->full_name();
    taken.payload = event.SerializeAsString();
    taken.event_time = taken.recorded_at = now_;
    const absl::StatusOr<everfold::Route> route = everfold::RouteOf(type_, taken);
    EXPECT_TRUE(route.ok()) << route.status();
    return route.ok() ? Take(everfold::EventInput{taken, *route}) : *this;
  }

  // The provider's answer to what was asked.
  template <class A>
  FulfilmentStory& Answers(const psp::v1::Operation& operation) {
    return End<A>({.kind = everfold::OutcomeKind::kResult, .result = operation.SerializeAsString()});
  }
  template <class A>
  FulfilmentStory& Refuses(const absl::Status& status) {
    return End<A>({.kind = everfold::OutcomeKind::kFailed, .status = status});
  }
  template <class A>
  FulfilmentStory& AnswersNothing() {
    return End<A>({.kind = everfold::OutcomeKind::kUnknown, .status = absl::DeadlineExceededError("no answer")});
  }

  // The first C that was sent and not rejected yet.
  template <class C, class R>
  FulfilmentStory& Rejects(const R& rejection) {
    for (const auto& [ref, command] : instance_.commands) {
      if (command.type != C::descriptor()->full_name()) continue;
      everfold::AnyRefusal refusal{.status = absl::FailedPreconditionError("no"),
                                   .rejection_type = R::descriptor()->full_name(),
                                   .rejection = rejection.SerializeAsString()};
      return Take(everfold::RefusalInput{ref, refusal});
    }
    ADD_FAILURE() << C::descriptor()->name() << " was not sent";
    return *this;
  }

  // Time passes, and timers fire.
  FulfilmentStory& Advance(absl::Duration by) {
    const absl::Time until = now_ + by;
    Forget();
    for (;;) {
      const auto* due = NextTimer();
      if (due == nullptr || everfold::TimeOf(due->due_time()) > until) break;
      now_ = everfold::TimeOf(due->due_time());
      TakeMore(everfold::TimerInput{due->name(), everfold::Version(due->version())});
    }
    now_ = until;
    return *this;
  }

  // Exactly these commands came of the last input, in this order.
  template <class... C>
  FulfilmentStory& ThenSent(const C&... commands) {
    EXPECT_EQ(absl::StrJoin(sent_, "\n"), absl::StrJoin(std::vector<std::string>{TextOfNamed(commands)...}, "\n"));
    return *this;
  }
  // Exactly these calls.
  template <class... Requests>
  FulfilmentStory& ThenAsked(const Requests&... requests) {
    EXPECT_EQ(absl::StrJoin(asked_, "\n"), absl::StrJoin(std::vector<std::string>{TextOfNamed(requests)...}, "\n"));
    return *this;
  }
  FulfilmentStory& ThenNothing() { return ThenSent().ThenAsked(); }
  FulfilmentStory& ThenDone() {
    EXPECT_TRUE(instance_.done) << "it goes on";
    return *this;
  }
  FulfilmentStory& ThenGoesOn() {
    EXPECT_FALSE(instance_.done) << "it is done";
    return *this;
  }
  // The last input could not be taken: the instance is parked with it.
  FulfilmentStory& ThenParked(const std::string& why) {
    EXPECT_NE(error_.find(why), std::string::npos) << (error_.empty() ? "it was taken" : error_);
    expects_error_ = true;
    return *this;
  }
  ~FulfilmentStory() { CheckNoError(); }

 private:
  static std::string TextOfNamed(const google::protobuf::Message& message) {
    return absl::StrCat(message.GetDescriptor()->name(), " ", everfold::testing::TextOf(message));
  }

  FulfilmentStory& Take(const everfold::ProcessInput& input) {
    Forget();
    TakeMore(input);
    return *this;
  }

  void Forget() {
    CheckNoError();
    error_.clear();
    expects_error_ = false;
    sent_.clear();
    asked_.clear();
  }
  void CheckNoError() const { EXPECT_TRUE(error_.empty() || expects_error_) << error_; }

  void TakeMore(const everfold::ProcessInput& input) {
    const absl::StatusOr<everfold::StepResult> result = everfold::MakeStep(type_, instance_, input, {}, now_, random_);
    if (!result.ok()) {
      error_ = std::string(result.status().message());
      return;
    }
    if (!result->made.has_value()) return;
    const auto& [step, state] = *result->made;
    for (const everfold::v1::ProcessCommand& command : step.commands()) {
      sent_.push_back(TextOfBytes(command.type(), command.payload()));
    }
    for (const everfold::v1::ProcessActivity& activity : step.activities()) {
      asked_.push_back(TextOfBytes(RequestTypeOf(activity.name()), activity.request()));
    }
    EXPECT_EQ(instance_.Apply(step, state, now_, {}), absl::OkStatus());
  }

  static std::string RequestTypeOf(const std::string& activity) {
    if (activity == AuthorizeAtProvider::kOptions.name) return "psp.v1.AuthorizeRequest";
    if (activity == CaptureAtProvider::kOptions.name) return "psp.v1.CaptureRequest";
    if (activity == ReleaseAtProvider::kOptions.name) return "psp.v1.ReleaseRequest";
    return "psp.v1.RefundRequest";
  }

  static std::string TextOfBytes(const std::string& type, const std::string& bytes) {
    const auto* descriptor = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(type);
    const std::unique_ptr<google::protobuf::Message> message(
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor)->New());
    EXPECT_TRUE(message->ParseFromString(bytes));
    return TextOfNamed(*message);
  }

  template <class A>
  FulfilmentStory& End(const everfold::AnyOutcome& outcome) {
    for (const auto& [ref, activity] : instance_.activities) {
      if (activity.name == A::kOptions.name) return Take(everfold::OutcomeInput{ref, outcome, ""});
    }
    ADD_FAILURE() << A::kOptions.name << " was not asked for";
    return *this;
  }

  const everfold::v1::ProcessTimer* NextTimer() const {
    const everfold::v1::ProcessTimer* next = nullptr;
    for (const auto& [name, timer] : instance_.timers) {
      if (next == nullptr || everfold::TimeOf(timer.due_time()) < everfold::TimeOf(next->due_time())) next = &timer;
    }
    return next;
  }

  const everfold::ProcessType type_;
  everfold::ProcessInstance instance_;
  everfold::SeededRandom random_{1};
  absl::Time now_ = Utc("2026-01-01");
  std::uint64_t sequence_ = 0;
  std::vector<std::string> sent_;
  std::vector<std::string> asked_;
  std::string error_;
  bool expects_error_ = false;
};

}  // namespace shop::v1
