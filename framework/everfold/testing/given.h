// Tests of deciders, without a store:
//
//   Given<WalletDecider>(MakeWalletOpened(), MakeDeposited({.amount_minor = 100}))
//       .When(MakeWithdraw({.wallet_id = "w1", .amount_minor = 120}))
//       .ThenRejected(MakeInsufficientFunds({.missing_minor = 20}));
//
// Those of consistency boundaries are tested in the same words (testing/given_facts.h).
//
// Events that others supersede may be given as well: they are upcast as stored ones are.
//
// What stands in front of Decide is checked as in an application: a command that breaks a field rule is neither
// accepted nor rejected, and ThenInvalid tells which; one that expects a new stream fails where events are given
// (ThenExists), and one that expects an existing stream where none are (ThenNotFound). The clock stands at
// 2026-01-01T00:00:00Z unless At says otherwise, and ids are the same in every run. Failures are reported to
// GoogleTest, with what came out next to what was expected.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "everfold/decide/aggregate_type.h"
#include "everfold/testing/decided_text.h"
#include "everfold/testing/given_facts.h"
#include "google/protobuf/message.h"

namespace everfold::testing {

// A decision, and everything it is compared with. Threading: one thread.
class Decided {
 public:
  Decided(DecidedText text, std::unique_ptr<google::protobuf::Message> state)
      : text_(std::move(text)), state_(std::move(state)) {}

  // Exactly these events, in this order.
  template <class... E>
  const Decided& Then(const E&... events) const {
    static_assert(sizeof...(E) > 0, "to expect no event, write ThenNothing()");
    ExpectEvents({&events...});
    return *this;
  }
  // Accepted, with nothing to record.
  const Decided& ThenNothing() const;
  const Decided& ThenRejected(const google::protobuf::Message& rejection) const;
  // This field breaks this rule, for example ("amount_minor", "int64.gt"); it may not be the only one.
  const Decided& ThenInvalid(const std::string& field, const std::string& rule) const;
  // Events were given, and the command's `expect` is EXPECT_NEW.
  const Decided& ThenExists() const;
  // No events were given, and the command's `expect` is EXPECT_EXISTING.
  const Decided& ThenNotFound() const;
  // The state after the events, folded by Evolve.
  const Decided& ThenState(const google::protobuf::Message& state) const;

 private:
  void ExpectEvents(const std::vector<const google::protobuf::Message*>& events) const;

  DecidedText text_;
  std::unique_ptr<google::protobuf::Message> state_;
};

// A history, as far as it was given.
class History {
 public:
  explicit History(AggregateType type);

  void Add(const google::protobuf::Message& event);
  void SetTime(absl::Time now) { now_ = now; }
  Decided Decide(const google::protobuf::Message& command) const;

 private:
  DecidedText::Outcome OutcomeOf(const google::protobuf::Message& command, google::protobuf::Message& state) const;

  AggregateType type_;
  std::unique_ptr<google::protobuf::Message> state_;
  Version version_;
  absl::Time now_;
};

template <class Decider>
class GivenHistory {
 public:
  using State = typename Decider::Aggregate;

  template <class... E>
  explicit GivenHistory(const E&... events) : history_(MakeAggregateType<Decider>()) {
    static_assert(
        ((kIsIn<E, typename AggregateOf<State>::Events> || kIsIn<E, typename AggregateOf<State>::Superseded>)&&...),
        "Given: this is no event of the aggregate");
    (history_.Add(events), ...);
  }
  GivenHistory& At(absl::Time now) & {
    history_.SetTime(now);
    return *this;
  }
  GivenHistory&& At(absl::Time now) && {
    history_.SetTime(now);
    return std::move(*this);
  }
  template <class C>
  Decided When(const C& command) const {
    static_assert(kIsIn<C, typename AggregateOf<State>::Commands>, "When: this is no command of the aggregate");
    return history_.Decide(command);
  }

 private:
  History history_;
};

// Of an aggregate's decider, or of a boundary's.
template <class Decider, class... E>
auto Given(const E&... events) {
  if constexpr (requires { typename Decider::Boundary; }) {
    return GivenFacts<Decider>(events...);
  } else {
    return GivenHistory<Decider>(events...);
  }
}

}  // namespace everfold::testing
