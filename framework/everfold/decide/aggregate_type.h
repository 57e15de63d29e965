// A decider without its types, as the command side works with it: tables of functions over protobuf::Message, made from
// a Decider and the generated lists of its commands and events.
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/decide/context.h"
#include "everfold/decide/decision.h"
#include "everfold/decide/stored_form.h"
#include "everfold/decide/traits.h"
#include "everfold/decide/violations.h"
#include "google/protobuf/message.h"

namespace everfold {

// REQUIRES, for all functions: the message has the type that the entry is named for.
struct CommandType {
  using Message = google::protobuf::Message;
  std::string name;  // full message name
  const Message* prototype = nullptr;
  Expect expect = Expect::kAny;
  bool needs_request_id = false;
  bool records_outcomes = false;  // rejections, and that nothing changed, too
  const std::string& (*id)(const Message& command) = nullptr;
  std::string* (*mutable_id)(Message& command) = nullptr;
  // `now` is what the rules lt_now, gt_now and within compare with.
  void (*validate)(const Message& command, absl::Time now, Violations& violations) = nullptr;
  AnyDecision (*decide)(const Message& state, const Message& command, Context& context) = nullptr;
};

struct RejectionType {
  const google::protobuf::Message* prototype = nullptr;
  absl::StatusCode code = absl::StatusCode::kFailedPrecondition;
};

struct AggregateEvent {
  using Message = google::protobuf::Message;
  std::string name;         // full message name
  std::string fingerprint;  // 32 bytes
  const google::protobuf::Descriptor* descriptor = nullptr;
  void (*evolve)(Message& state, const Message& event) = nullptr;
  // Parses into a message that the thread keeps, and evolves. False if the bytes are no such message.
  bool (*evolve_payload)(Message& state, std::string_view payload) = nullptr;
  std::optional<absl::Time> (*event_time)(const Message& event) = nullptr;
  // nullptr: it has none.
  void (*add_tags)(const Message& event, std::vector<std::string>& tags) = nullptr;
};

// Threading: immutable once made.
struct AggregateType {
  std::string name;  // first part of its streams' names
  const google::protobuf::Message* initial_state = nullptr;
  // Of the decider's code: another one makes snapshots of the old one useless. What kRevision says, 1 without it.
  int revision = 1;
  absl::flat_hash_map<std::string, CommandType> commands;           // by full message name
  absl::flat_hash_map<std::string, AggregateEvent> events;          // by full message name; what Decide may emit
  absl::flat_hash_map<std::string, RejectionType> rejections = {};  // by full message name
  absl::flat_hash_map<std::string, StoredForm> stored_forms = {};   // by the name under which they are stored

  std::unique_ptr<google::protobuf::Message> NewState() const;

  // Decide, with whatever user code throws turned into INTERNAL (reason DECIDER_FAILED).
  absl::StatusOr<AnyDecision> Decide(const CommandType& command, const google::protobuf::Message& state,
                                     const google::protobuf::Message& message, Context& context) const;
  // Evolve likewise. INTERNAL if user code throws.
  absl::Status Evolve(google::protobuf::Message& state, const google::protobuf::Message& event) const;
  // Evolve a stored event, which is upcast first if it is a superseded one. FAILED_PRECONDITION (UNKNOWN_TYPE) if this
  // binary does not know the type, DATA_LOSS if the bytes do not parse.
  absl::Status EvolveStored(google::protobuf::Message& state, const std::string& type, std::string_view payload) const;
};

namespace internal {

template <class D, class C>
CommandType MakeCommandType() {
  using State = typename D::Aggregate;
  using Message = google::protobuf::Message;
  return {.name = CommandTraits<C>::kName,
          .prototype = &C::default_instance(),
          .expect = CommandTraits<C>::kExpect,
          .needs_request_id = CommandTraits<C>::kNeedsRequestId,
          .records_outcomes = CommandTraits<C>::kRecordsOutcomes,
          .id = [](const Message& command) -> const std::string& {
            return CommandTraits<C>::Id(static_cast<const C&>(command));
          },
          .mutable_id = [](Message& command) { return CommandTraits<C>::MutableId(static_cast<C&>(command)); },
          .validate =
              [](const Message& command, absl::Time now, Violations& violations) {
                CommandTraits<C>::Validate(static_cast<const C&>(command), now, violations);
              },
          .decide =
              [](const Message& state, const Message& command, Context& context) {
                Decision<State> decision =
                    D::Decide(static_cast<const State&>(state), static_cast<const C&>(command), context);
                return std::move(decision).Release();
              }};
}

template <class D, class E>
AggregateEvent MakeAggregateEvent() {
  using State = typename D::Aggregate;
  using Message = google::protobuf::Message;
  AggregateEvent made{
      .name = EventTraits<E>::kName,
      .fingerprint = std::string(EventTraits<E>::Fingerprint()),
      .descriptor = E::descriptor(),
      .evolve = [](Message& state,
                   const Message& event) { D::Evolve(static_cast<State&>(state), static_cast<const E&>(event)); },
      .evolve_payload =
          [](Message& state, std::string_view payload) {
            thread_local E event;  // reused: twice as fast as a fresh one
            if (!event.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return false;
            D::Evolve(static_cast<State&>(state), static_cast<const E&>(event));
            return true;
          },
      .event_time = [](const Message& event) { return EventTraits<E>::EventTime(static_cast<const E&>(event)); }};
  if constexpr (!std::is_same_v<typename EventTraits<E>::Tags, Types<>>) {
    made.add_tags = [](const Message& event, std::vector<std::string>& tags) {
      EventTraits<E>::AddTags(static_cast<const E&>(event), tags);
    };
  }
  return made;
}

// A decider whose Evolve comes to other states than before says so: `static constexpr int kRevision = 2;`.
template <class D>
constexpr int RevisionOf() {
  if constexpr (requires { D::kRevision; }) return D::kRevision;
  return 1;
}

template <class E>
concept IsSuperseded = requires {
  typename EventTraits<E>::UpcastTo;
};

// The event of today that E becomes, step by step.
template <class E>
struct BecomesOf {
  using type = E;
};
template <IsSuperseded E>
struct BecomesOf<E> : BecomesOf<typename EventTraits<E>::UpcastTo> {};

template <class D, class E>
typename BecomesOf<E>::type UpcastAll(const E& event) {
  if constexpr (IsSuperseded<typename EventTraits<E>::UpcastTo>) {
    return UpcastAll<D>(D::Upcast(event));
  } else {
    return D::Upcast(event);
  }
}

template <class D, IsSuperseded E>
std::optional<std::string> UpcastPayload(std::string_view payload) {
  E event;
  if (!event.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return std::nullopt;
  return UpcastAll<D>(event).SerializeAsString();
}

template <class D, class E>
bool EvolveForm(google::protobuf::Message& state, std::string_view payload) {
  thread_local E event;
  if (!event.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return false;
  D::Evolve(static_cast<typename D::Aggregate&>(state), UpcastAll<D>(static_cast<const E&>(event)));
  return true;
}

template <class D, class E>
StoredForm MakeStoredForm(std::string_view name) {
  StoredForm form{.name = std::string(name),
                  .becomes = EventTraits<typename BecomesOf<E>::type>::kName,
                  .descriptor = E::descriptor(),
                  .fingerprint = std::string(EventTraits<E>::Fingerprint())};
  if constexpr (IsSuperseded<E>) {
    form.upcast_revision = EventTraits<E>::kUpcastRevision;
    form.upcast = &UpcastPayload<D, E>;
    form.evolve_payload = &EvolveForm<D, E>;
  } else {
    form.evolve_payload = MakeAggregateEvent<D, E>().evolve_payload;
  }
  return form;
}

template <class D, class E>
void AddStoredForms(AggregateType& type) {
  for (const std::string_view name : EventTraits<E>::kWas) {
    type.stored_forms.emplace(name, MakeStoredForm<D, E>(name));
  }
  if constexpr (IsSuperseded<E>) {
    type.stored_forms.emplace(EventTraits<E>::kName, MakeStoredForm<D, E>(EventTraits<E>::kName));
  }
}

template <class D, class... C, class... E, class... Old, class... R>
AggregateType MakeAggregateType(Types<C...>, Types<E...>, Types<Old...>, Types<R...>) {
  using State = typename D::Aggregate;
  AggregateType type{.name = AggregateOf<State>::kName,
                     .initial_state = &State::default_instance(),
                     .revision = RevisionOf<D>(),
                     .commands = {},
                     .events = {},
                     .rejections = {},
                     .stored_forms = {}};
  (type.commands.emplace(CommandTraits<C>::kName, MakeCommandType<D, C>()), ...);
  (type.events.emplace(EventTraits<E>::kName, MakeAggregateEvent<D, E>()), ...);
  (AddStoredForms<D, E>(type), ...);
  (AddStoredForms<D, Old>(type), ...);
  (type.rejections.emplace(RejectionTraits<R>::kName, RejectionType{&R::default_instance(), RejectionTraits<R>::kCode}),
   ...);
  return type;
}

}  // namespace internal

// Compiles only if D has a Decide for every command and an Evolve for every event of its aggregate, and an Upcast for
// every superseded one; each one that is missing is named with the line to paste.
template <class D>
AggregateType MakeAggregateType() {
  using Aggregate = AggregateOf<typename D::Aggregate>;
  static_assert(Aggregate::template Check<D>());
  return internal::MakeAggregateType<D>(typename Aggregate::Commands{}, typename Aggregate::Events{},
                                        typename Aggregate::Superseded{}, typename Aggregate::Rejections{});
}

}  // namespace everfold
