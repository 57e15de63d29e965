// A projection: code that folds events into read models. Authors write
//
//   struct Balances {
//     static constexpr everfold::ProjectionOptions kOptions{.name = "balances", .revision = 1};
//     using Events = everfold::EventsOf<Wallet>;
//     using ReadModels = everfold::Tables<WalletBalance>;
//     static void On(const Deposited& e, const everfold::EventContext& c, ReadModels& t) { ... }
//   };
//
// with one On for each event that they want, and MakeProjectionType turns it into the table below. An On that would
// never be called because its parameters are mistyped is a compile error.
//
// An event that cannot be handled is parked, and later events of the same key wait behind it. The key is the event's
// stream; a projection whose rows are fed from several streams says otherwise, for all its events or for some:
//
//     static std::string Key(const Deposited& e, const EventContext& c) { return e.customer_id(); }
#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "everfold/decide/aggregate_type.h"
#include "everfold/decide/event_context.h"
#include "everfold/decide/on_overload.h"
#include "everfold/decide/stored_form.h"
#include "everfold/decide/traits.h"
#include "everfold/event/commit.h"
#include "everfold/projection/tables.h"
#include "google/protobuf/message_lite.h"

namespace everfold {

// In which order a projection takes the events of the log.
enum class ProjectionOrder {
  // All of them merged by sequence, live and on a rebuild alike: an effect is never seen before its cause, and handlers
  // that do not commute come to the same rows every time.
  kMerged,
  // Those of one partition, and so of one stream, in their order; those of different partitions in any order, and in
  // another one on a rebuild. For handlers that commute: whatever streams of different placement they meet first, the
  // rows are the same at the end. A version is then built partition by partition; what follows the log live still takes
  // it merged. testing::Project folds every test's events in several such orders, and fails where the rows differ.
  kPerPartition,
};

struct ProjectionOptions {
  std::string_view name;  // [a-z][a-z0-9_]*; the name of its folder
  // Raise it when the handlers change in a way that old rows do not show: the read models are then built anew.
  int revision = 1;
  ProjectionOrder order = ProjectionOrder::kMerged;
};

// What an event comes to in the rows.
struct EventHandler {
  // False if the payload does not parse.
  using OfPayload = bool (*)(std::string_view payload, const EventContext& context, RowStore& rows);
  using OfMessage = void (*)(const google::protobuf::MessageLite& event, const EventContext& context, RowStore& rows);
  using Make = std::unique_ptr<google::protobuf::MessageLite> (*)();

  OfPayload of_payload = nullptr;
  // The same in two steps, for what is parsed before its turn: an empty message to parse into, and what becomes of it.
  // Both or none.
  Make make = nullptr;
  OfMessage of_message = nullptr;
};

// Threading: immutable once made.
struct ProjectionType {
  // What the event is parked with if it cannot be handled; nullopt if the payload does not parse.
  using KeyOf = std::optional<std::string> (*)(std::string_view payload, const EventContext& context);

  std::string name;
  int revision = 1;
  std::vector<const ReadModelSchema*> read_models;
  absl::flat_hash_map<std::string, EventHandler> handlers;  // by the event's full message name
  absl::flat_hash_map<std::string, KeyOf> keys;             // likewise; an event without one has its stream's key
  // How events that are stored otherwise come to these handlers, by the name under which they are stored.
  absl::flat_hash_map<std::string, StoredForm> stored_forms;
  ProjectionOrder order = ProjectionOrder::kMerged;

  // Takes those of the aggregate's forms over that become an event with a handler. Needed once for each aggregate whose
  // events have earlier names or supersede others.
  void AddStoredForms(const AggregateType& aggregate);
};

namespace internal {

template <class P, class E, class Models>
concept HasExactOn = requires {
  static_cast<void (*)(const E&, const EventContext&, Models&)>(&P::On);
};

template <class P, class E>
bool Handle(std::string_view payload, const EventContext& context, RowStore& rows) {
  thread_local E event;  // reused: twice as fast as a fresh one
  if (!event.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return false;
  typename P::ReadModels models(rows);
  P::On(static_cast<const E&>(event), context, models);
  return true;
}

template <class E>
std::unique_ptr<google::protobuf::MessageLite> MakeEvent() {
  return std::make_unique<E>();
}

template <class P, class E>
void HandleMessage(const google::protobuf::MessageLite& event, const EventContext& context, RowStore& rows) {
  typename P::ReadModels models(rows);
  P::On(static_cast<const E&>(event), context, models);
}

template <class P, class E>
concept HasKey = requires(const E& event, const EventContext& context) {
  { P::Key(event, context) } -> std::convertible_to<std::string>;
};

template <class P, class E>
std::optional<std::string> KeyOf(std::string_view payload, const EventContext& context) {
  E event;
  if (!event.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return std::nullopt;
  return std::string(P::Key(static_cast<const E&>(event), context));
}

template <class P, class E>
void AddHandler(ProjectionType& type) {
  static_assert(!HandlesSuperseded<P>(typename AggregateOf<typename EventTraits<E>::Aggregate>::Superseded{}),
                "On of a superseded event is never called: it comes as the event that it is upcast to");
  if constexpr (EventTraits<E>::template HasOn<P, typename P::ReadModels>()) {
    type.handlers.emplace(EventTraits<E>::kName, EventHandler{&Handle<P, E>, &MakeEvent<E>, &HandleMessage<P, E>});
    if constexpr (HasKey<P, E>) type.keys.emplace(EventTraits<E>::kName, &KeyOf<P, E>);
  }
}

template <class P, class... E>
void AddHandlers(ProjectionType& type, Types<E...>) {
  static_assert((EventTraits<E>::template HasOn<P, typename P::ReadModels>() || ...),
                "this projection has no On for any of its Events");
  (AddHandler<P, E>(type), ...);
}

template <class... Rows>
std::vector<const ReadModelSchema*> Schemas(Types<Rows...>) {
  return {&ReadModelTraits<Rows>::Schema()...};
}

}  // namespace internal

template <class P>
ProjectionType MakeProjectionType() {
  ProjectionType type{.name = std::string(P::kOptions.name),
                      .revision = P::kOptions.revision,
                      .read_models = internal::Schemas(typename P::ReadModels::List{}),
                      .handlers = {},
                      .keys = {},
                      .stored_forms = {},
                      .order = P::kOptions.order};
  internal::AddHandlers<P>(type, typename P::Events{});
  return type;
}

}  // namespace everfold
