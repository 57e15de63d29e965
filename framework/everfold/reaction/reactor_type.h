// A reactor: code with effects outside, after the fact: a mail, a call of another service, a line in a file. Authors
// write
//
//   struct OrderMail {
//     static constexpr everfold::ReactorOptions kOptions{.name = "order_mail"};
//     using Events = everfold::EventsOf<Order>;
//     absl::Status On(const OrderPlaced& placed, const everfold::Reaction& reaction) { ... }
//   };
//
// with one On for each event that they want, static or not, and MakeReactorType turns it into the table below. An On
// that would never be called because its parameters are mistyped is a compile error.
//
// Every event is reacted to at least once, and after a crash perhaps again, with the same id: whoever has the effect
// leaves out an id that it has seen. What On returns says how it goes on:
//   OK                                                       done
//   UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED,
//   ABORTED, UNKNOWN, INTERNAL, and what it throws           another try later, up to the last one; then it is parked
//   any other code                                           parked: it waits for an operator
// Events of one key are reacted to one after the other, in their order; an event that waits holds up those of its key,
// and no others. The key is the event's stream; a reactor may say otherwise, for all its events or for some, always the
// same for the same event:
//
//     static std::string Key(const OrderPlaced& e, const everfold::Reaction& reaction) { return e.customer_id(); }
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "everfold/decide/aggregate_type.h"
#include "everfold/decide/on_overload.h"
#include "everfold/decide/stored_form.h"
#include "everfold/decide/traits.h"
#include "everfold/event/commit.h"

namespace everfold {

struct TakenEvent;  // reaction/taken_event.h

// Where a reactor begins that has never run.
enum class ReactorStart : std::uint8_t {
  kHead,       // what is in the log by then is not reacted to: nobody gets mails about last year's orders
  kBeginning,  // with the first event of the log
};

struct ReactorRetry {
  unsigned attempts = 20;                        // the first one included
  absl::Duration first_wait = absl::Seconds(1);  // doubled from wait to wait; each is drawn from its upper half
  absl::Duration longest_wait = absl::Minutes(10);
};

struct ReactorOptions {
  std::string_view name;  // [a-z][a-z0-9_]*; a part of the ids of its reactions, so it stays
  // Events of so many keys are reacted to at a time, each on a thread; 1 to 64. With more than one, On is called from
  // several threads at a time.
  int concurrency = 1;
  ReactorStart start = ReactorStart::kHead;
  ReactorRetry retry = {};
};

// What is reacted to. Lifetime: one call of a handler.
struct Reaction {
  // The same whenever this reactor meets this event, also in a store that was restored or imported: a UUID of the
  // reactor's name, the event's stream and version, and the time at which it was recorded.
  const std::string& id;
  const StreamId& stream;
  Version version;
  Position position;
  Sequence sequence;
  absl::Time event_time;
  absl::Time recorded_at;
  const Metadata& metadata;
  unsigned attempt;  // first is 1; after a crash it may be told again
};

// What a reactor may be made with. Lifetime: the call of its constructor.
struct ReactorSetup {
  const std::string& data_directory;  // of the application; empty if it has none
};

// Threading: immutable once made.
struct ReactorType {
  // Calls On of the object; DATA_LOSS if the payload does not parse.
  using Handler = absl::Status (*)(void* reactor, std::string_view payload, const Reaction& reaction);
  // nullopt if the payload does not parse.
  using KeyOf = std::function<std::optional<std::string>(std::string_view payload, const Reaction& reaction)>;

  std::string name;
  int concurrency = 1;
  ReactorStart start = ReactorStart::kHead;
  ReactorRetry retry = {};
  std::function<std::shared_ptr<void>(const ReactorSetup& setup)> make;  // the object whose On is called
  // In place of the handlers, whose names alone count then: what needs no thread while it is under way. Begins, and
  // calls `done` once, on any thread, with what On would have returned; CANCELLED while the reactor closes: it was not
  // tried. `key` is the one under which the event was taken, or waits. It is called on a strand, so it does not block.
  using Done = absl::AnyInvocable<void(absl::Status)>;
  using Begin = std::function<void(const std::string& key, const TakenEvent& event, unsigned attempt, Done done)>;
  Begin begin = nullptr;
  absl::flat_hash_map<std::string, Handler> handlers = {};  // by the event's full message name
  absl::flat_hash_map<std::string, KeyOf> keys = {};        // likewise; an event without one has its stream's key
  // How events that are stored otherwise come to these handlers, by the name under which they are stored.
  absl::flat_hash_map<std::string, StoredForm> stored_forms = {};
  // What it is called in messages, and its verb: a process takes its events as a reactor does.
  const char* kind = "reactor";
  const char* verb = "reactors";

  // Takes those of the aggregate's forms over that become an event with a handler. Needed once for each aggregate whose
  // events have earlier names or supersede others.
  void AddStoredForms(const AggregateType& aggregate);

  // INVALID_ARGUMENT for a name, a concurrency or a retry that cannot be.
  absl::Status Validate() const;
};

inline constexpr int kMaxReactorConcurrency = 64;

namespace internal {

// clang-format off
template <class R, class E>
concept HasExactReaction =
    requires { static_cast<absl::Status (*)(const E&, const Reaction&)>(&R::On); } ||
    requires { static_cast<absl::Status (R::*)(const E&, const Reaction&)>(&R::On); } ||
    requires { static_cast<absl::Status (R::*)(const E&, const Reaction&) const>(&R::On); };

template <class R, class E>
concept HasReactionKey = requires(const E& event, const Reaction& reaction) {
  { R::Key(event, reaction) } -> std::convertible_to<std::string>;
};
// clang-format on

template <class R, class E>
constexpr bool HasReaction() {
  constexpr bool exact = HasExactReaction<R, E>;
  static_assert(exact || !HasSomeOn<R, E>,
                "On has other types than these, of the event E that is named with this error: "
                "absl::Status On(const E& event, const everfold::Reaction& reaction);");
  return exact;
}

template <class R, class E>
absl::Status React(void* reactor, std::string_view payload, const Reaction& reaction) {
  E event;
  if (!event.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    return absl::DataLossError("the payload is not a message of this type");
  }
  return static_cast<R*>(reactor)->On(static_cast<const E&>(event), reaction);
}

template <class R, class E>
std::optional<std::string> ReactionKey(std::string_view payload, const Reaction& reaction) {
  E event;
  if (!event.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return std::nullopt;
  return std::string(R::Key(static_cast<const E&>(event), reaction));
}

template <class R, class E>
void AddReaction(ReactorType& type) {
  static_assert(!HandlesSuperseded<R>(typename AggregateOf<typename EventTraits<E>::Aggregate>::Superseded{}),
                "On of a superseded event is never called: it comes as the event that it is upcast to");
  if constexpr (HasReaction<R, E>()) {
    type.handlers.emplace(EventTraits<E>::kName, &React<R, E>);
    if constexpr (HasReactionKey<R, E>) type.keys.emplace(EventTraits<E>::kName, &ReactionKey<R, E>);
  }
}

template <class R, class... E>
void AddReactions(ReactorType& type, Types<E...>) {
  static_assert((HasReaction<R, E>() || ...), "this reactor has no On for any of its Events");
  (AddReaction<R, E>(type), ...);
}

template <class R, class... Arguments>
std::shared_ptr<void> MakeReactor(const ReactorSetup& setup, const Arguments&... arguments) {
  if constexpr (std::constructible_from<R, const ReactorSetup&, const Arguments&...>) {
    return std::shared_ptr<R>(new R{setup, arguments...});
  } else {
    return std::shared_ptr<R>(new R{arguments...});
  }
}

}  // namespace internal

// The object is made from the arguments when the reactor is opened, with a ReactorSetup before them if there is such a
// constructor.
template <class R, class... Arguments>
ReactorType MakeReactorType(Arguments... arguments) {
  ReactorType type{.name = std::string(R::kOptions.name),
                   .concurrency = R::kOptions.concurrency,
                   .start = R::kOptions.start,
                   .retry = R::kOptions.retry,
                   .make = [... arguments = std::move(arguments)](const ReactorSetup& setup) {
                     return internal::MakeReactor<R>(setup, arguments...);
                   }};
  internal::AddReactions<R>(type, typename R::Events{});
  return type;
}

}  // namespace everfold
