// A process: business that takes its time, across aggregates and with the outside. Events come in, commands, activities
// and timers go out; what it knows is a state of its own, one for each of its instances. Authors mark the state with
// `option (everfold.v1.message).process = {}` and write
//
//   struct FulfilmentProcess {
//     using Process = Fulfilment;
//     using Events = everfold::EventsOf<Order, Payment>;
//     using Commands = everfold::Types<ReserveStock, CancelOrder>;  // what it sends
//     using Activities = everfold::Types<AuthorizePayment>;         // what it runs (process/activity.h)
//     using Steps = everfold::Steps<FulfilmentProcess>;
//
//     static everfold::Route Route(const OrderPlaced& e, const everfold::EventContext& context);
//     static void React(Fulfilment& state, const OrderPlaced& e, Steps& steps);
//     static void React(Fulfilment& state, const everfold::Refused<ReserveStock>& refused, Steps& steps);
//     static void React(Fulfilment& state, const everfold::Outcome<AuthorizePayment>& outcome, Steps& steps);
//     static void React(Fulfilment& state, const everfold::TimerFired& timer, Steps& steps);
//   };
//
// with a Route and a React for each event that they want, a React for each command that may be refused and each
// activity that may end, and one for timers if it sets any. What is missing is a compile error that names it.
//
// React is pure: it changes the state and says what is to be done. Both are recorded in one commit, with the input, in
// the instance's own stream; what is to be done is done after that, and only that. Time and new ids come from `steps`.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/decide/aggregate_type.h"
#include "everfold/decide/event_context.h"
#include "everfold/decide/on_overload.h"
#include "everfold/decide/stored_form.h"
#include "everfold/decide/traits.h"
#include "everfold/process/activity.h"
#include "everfold/process/route.h"
#include "everfold/process/step_recorder.h"
#include "everfold/reaction/reactor_type.h"
#include "google/protobuf/message.h"

namespace everfold {

struct ProcessOptions {
  // Where a process begins that has never run.
  ReactorStart start = ReactorStart::kHead;
};

// A command of the process was refused: there is no commit of it, and never will be. Lifetime: one call of React.
template <class C>
struct Refused {
  const C& command;
  const absl::Status& status;         // by what: a rejection's code, or the framework's own words
  const std::string& rejection_type;  // full message name; empty if the framework refused
  const std::string& rejection;       // serialized

  // The rejection, if it is an R.
  template <class R>
  std::optional<R> As() const {
    R message;
    if (rejection_type != RejectionTraits<R>::kName || !message.ParseFromString(rejection)) return std::nullopt;
    return message;
  }
};

// A timer that was set has fired; it is not set any more. Lifetime: one call of React.
struct TimerFired {
  const std::string& name;
  absl::Time due;  // when it was to fire; now is later
};

namespace internal {

template <class P>
struct CommandsOfProcess {
  using type = Types<>;
};
template <class P>
requires requires { typename P::Commands; }
struct CommandsOfProcess<P> {
  using type = typename P::Commands;
};
template <class P>
struct ActivitiesOfProcess {
  using type = Types<>;
};
template <class P>
requires requires { typename P::Activities; }
struct ActivitiesOfProcess<P> {
  using type = typename P::Activities;
};

}  // namespace internal

// What a React of the process P orders. Nothing is done before all of it is on record.
template <class P>
class Steps {
 public:
  explicit Steps(StepRecorder& recorder) : recorder_(recorder) {}

  // The time of this step.
  absl::Time now() const { return recorder_.now(); }
  // A new UUID (version 7).
  std::string NewId() { return recorder_.NewId(); }
  // The instance's id; its stream has the tenant.
  const std::string& id() const { return recorder_.instance().id; }
  const StreamId& instance() const { return recorder_.instance(); }
  // Where the event stands that came in; nullptr where the input is none.
  const EventContext* event() const { return recorder_.event(); }

  // Sends the command until it is accepted or refused; it is decided once.
  template <class C>
  void Send(const C& command) {
    CheckSends<C>();
    recorder_.Send(command);
  }
  // The same, when it is time. A timer like others: the same name again puts it off, CancelTimer cancels it.
  template <class C>
  void SendAt(const std::string& name, absl::Time at, const C& command) {
    CheckSends<C>();
    recorder_.SetTimer(name, at, &command);
  }
  template <class C>
  void SendAfter(const std::string& name, absl::Duration delay, const C& command) {
    SendAt(name, now() + delay, command);
  }

  // Its outcome comes in as an Outcome<A>.
  template <class A>
  void Run(const typename A::Request& request) {
    static_assert(kIsIn<A, typename internal::ActivitiesOfProcess<P>::type>,
                  "Run: this activity is not among the process's Activities; add it there");
    recorder_.Run(std::string(A::kOptions.name), request, A::kOptions.timeout);
  }

  // Fires once, then or later, as a TimerFired. The same name again puts it off, or forward.
  void SetTimer(const std::string& name, absl::Time at) {
    CheckTimers();
    recorder_.SetTimer(name, at, nullptr);
  }
  void SetTimer(const std::string& name, absl::Duration after) { SetTimer(name, now() + after); }
  // Nothing happens if it is not set.
  void CancelTimer(const std::string& name) { recorder_.CancelTimer(name); }

  // The instance has ended: what comes later is left out, and its timers are cancelled. What is sent is sent.
  void Done() { recorder_.Done(); }

 private:
  template <class C>
  static constexpr void CheckSends() {
    static_assert(kIsIn<C, typename internal::CommandsOfProcess<P>::type>,
                  "this command is not among the process's Commands; add it there");
  }
  template <class Process = P>
  static constexpr void CheckTimers();

  StepRecorder& recorder_;
};

// How an activity ended, before it has a type.
struct AnyOutcome {
  OutcomeKind kind = OutcomeKind::kUnknown;
  std::string result = {};
  absl::Status status = {};
};

// A refusal likewise.
struct AnyRefusal {
  absl::Status status = {};
  std::string rejection_type = {};
  std::string rejection = {};
};

struct ProcessEventType {
  // nullopt if the payload does not parse.
  std::optional<Route> (*route)(std::string_view payload, const EventContext& context) = nullptr;
  // False likewise.
  bool (*react)(google::protobuf::Message& state, std::string_view payload, StepRecorder& recorder) = nullptr;
};

struct ProcessCommandType {
  const google::protobuf::Message* prototype = nullptr;
  // False if the command does not parse.
  bool (*react)(google::protobuf::Message& state, const std::string& command, const AnyRefusal& refusal,
                StepRecorder& recorder) = nullptr;
};

struct ProcessActivityType {
  const google::protobuf::Message* request = nullptr;
  const google::protobuf::Message* result = nullptr;
  ActivityOptions options = {};
  std::shared_ptr<void> object = {};  // thread-safe
  // False if the request does not parse.
  bool (*start)(void* activity, const std::string& request, const ActivityCall& call, AnyActivityDone done) = nullptr;
  // False if the request or the result does not parse.
  bool (*react)(google::protobuf::Message& state, const std::string& request, const AnyOutcome& outcome,
                StepRecorder& recorder) = nullptr;
  bool (*is_result)(const std::string& bytes) = nullptr;
};

// A process without its types. Threading: immutable once made.
struct ProcessType {
  std::string name;
  const google::protobuf::Message* initial_state = nullptr;
  std::string* (*mutable_id)(google::protobuf::Message& state) = nullptr;
  ReactorStart start = ReactorStart::kHead;
  absl::flat_hash_map<std::string, ProcessEventType> events = {};         // by full message name
  absl::flat_hash_map<std::string, ProcessCommandType> commands = {};     // likewise
  absl::flat_hash_map<std::string, ProcessActivityType> activities = {};  // by the activity's name
  std::string activity_named_twice = {};                                  // an error of Validate
  void (*on_timer)(google::protobuf::Message& state, const TimerFired& timer, StepRecorder& recorder) = nullptr;
  absl::flat_hash_map<std::string, StoredForm> stored_forms = {};  // as ReactorType's

  // As ReactorType::AddStoredForms.
  void AddStoredForms(const AggregateType& aggregate);
  // INVALID_ARGUMENT for a name, or an activity's options, that cannot be.
  absl::Status Validate() const;

  // "$process_<name>", of the streams of its instances.
  std::string StreamAggregate() const { return "$process_" + name; }
};

namespace internal {

// clang-format off
template <class P, class Input>
concept HasExactReact = requires {
  static_cast<void (*)(typename P::Process&, const Input&, Steps<P>&)>(&P::React);
};

template <class P, class Input>
concept HasSomeReact = requires(P& p, Input& in, AnyArgument any) { p.React(any, in); } ||
                       requires(P& p, Input& in, AnyArgument any) { p.React(in, any); } ||
                       requires(P& p, Input& in, AnyArgument any) { p.React(in, any, any); } ||
                       requires(P& p, Input& in, AnyArgument any) { p.React(any, in, any); } ||
                       requires(P& p, Input& in, AnyArgument any) { p.React(any, any, in); };

template <class P, class E>
concept HasExactRoute = requires {
  static_cast<everfold::Route (*)(const E&, const EventContext&)>(&P::Route);
};

template <class P, class E>
concept HasSomeRoute = requires(P& p, E& e, AnyArgument any) { p.Route(e); } ||
                       requires(P& p, E& e, AnyArgument any) { p.Route(e, any); } ||
                       requires(P& p, E& e, AnyArgument any) { p.Route(any, e); };
// clang-format on

template <class P, class E>
constexpr bool WantsEvent() {
  constexpr bool react = HasExactReact<P, E>;
  constexpr bool route = HasExactRoute<P, E>;
  static_assert(react || !HasSomeReact<P, E>,
                "React has other types than these, of the event E that is named with this error: "
                "static void React(State& state, const E& event, everfold::Steps<P>& steps);");
  static_assert(route || !HasSomeRoute<P, E>,
                "Route has other types than these, of the event E that is named with this error: "
                "static everfold::Route Route(const E& event, const everfold::EventContext& context);");
  static_assert(route || !react,
                "missing, for the event E that is named with this error and has a React: "
                "static everfold::Route Route(const E& event, const everfold::EventContext& context);");
  static_assert(react || !route,
                "missing, for the event E that is named with this error and has a Route: "
                "static void React(State& state, const E& event, everfold::Steps<P>& steps);");
  return react && route;
}

template <class P, class... Old>
constexpr bool ReactsToSuperseded(Types<Old...>) {
  return (HasSomeReact<P, Old> || ...);
}

template <class M>
bool Parse(M& message, std::string_view bytes) {
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

template <class P, class E>
std::optional<Route> RouteEvent(std::string_view payload, const EventContext& context) {
  E event;
  if (!Parse(event, payload)) return std::nullopt;
  return P::Route(static_cast<const E&>(event), context);
}

template <class P, class E>
bool ReactToEvent(google::protobuf::Message& state, std::string_view payload, StepRecorder& recorder) {
  E event;
  if (!Parse(event, payload)) return false;
  Steps<P> steps(recorder);
  P::React(static_cast<typename P::Process&>(state), static_cast<const E&>(event), steps);
  return true;
}

template <class P, class C>
bool ReactToRefusal(google::protobuf::Message& state, const std::string& command, const AnyRefusal& refusal,
                    StepRecorder& recorder) {
  C parsed;
  if (!Parse(parsed, command)) return false;
  Steps<P> steps(recorder);
  const Refused<C> refused{.command = parsed,
                           .status = refusal.status,
                           .rejection_type = refusal.rejection_type,
                           .rejection = refusal.rejection};
  P::React(static_cast<typename P::Process&>(state), refused, steps);
  return true;
}

template <class P, class A>
bool ReactToOutcome(google::protobuf::Message& state, const std::string& request, const AnyOutcome& outcome,
                    StepRecorder& recorder) {
  typename A::Request parsed;
  typename A::Result result;
  if (!Parse(parsed, request) || !Parse(result, outcome.result)) return false;
  Steps<P> steps(recorder);
  const Outcome<A> typed{.request = parsed, .kind = outcome.kind, .result = result, .status = outcome.status};
  P::React(static_cast<typename P::Process&>(state), typed, steps);
  return true;
}

template <class A>
bool StartActivity(void* activity, const std::string& request, const ActivityCall& call, AnyActivityDone done) {
  typename A::Request parsed;
  if (!Parse(parsed, request)) return false;
  static_cast<A*>(activity)->Start(static_cast<const typename A::Request&>(parsed), call,
                                   ActivityDone<A>(std::move(done)));
  return true;
}

template <class P, class E>
void AddProcessEvent(ProcessType& type) {
  static_assert(!ReactsToSuperseded<P>(typename AggregateOf<typename EventTraits<E>::Aggregate>::Superseded{}),
                "React of a superseded event is never called: it comes as the event that it is upcast to");
  if constexpr (WantsEvent<P, E>()) {
    type.events.emplace(EventTraits<E>::kName, ProcessEventType{&RouteEvent<P, E>, &ReactToEvent<P, E>});
  }
}

template <class P, class... E>
void AddProcessEvents(ProcessType& type, Types<E...>) {
  static_assert((WantsEvent<P, E>() || ...), "this process has no React for any of its Events");
  (AddProcessEvent<P, E>(type), ...);
}

template <class P, class C>
void AddProcessCommand(ProcessType& type) {
  static_assert(HasExactReact<P, Refused<C>>,
                "missing, or with other types, for the command C that is named with this error: "
                "static void React(State& state, const everfold::Refused<C>& refused, everfold::Steps<P>& steps);");
  type.commands.emplace(CommandTraits<C>::kName, ProcessCommandType{&C::default_instance(), &ReactToRefusal<P, C>});
}

template <class P, class... C>
void AddProcessCommands([[maybe_unused]] ProcessType& type, Types<C...>) {
  (AddProcessCommand<P, C>(type), ...);
}

template <class A, class... Objects>
std::shared_ptr<void> ActivityObject(std::tuple<std::shared_ptr<Objects>...>& objects) {
  if constexpr (kIsIn<A, Types<Objects...>>) {
    return std::get<std::shared_ptr<A>>(objects);
  } else {
    static_assert(std::is_empty_v<A> && std::default_initializable<A>,
                  "the activity A that is named with this error has members: hand one to Process<P>(...)");
    return std::make_shared<A>();
  }
}

template <class P, class A>
void AddProcessActivity(ProcessType& type, std::shared_ptr<void> object) {
  static_assert(HasExactReact<P, Outcome<A>>,
                "missing, or with other types, for the activity A that is named with this error: "
                "static void React(State& state, const everfold::Outcome<A>& outcome, everfold::Steps<P>& steps);");
  static_assert(
      requires(A & activity, const typename A::Request& request, const ActivityCall& call, ActivityDone<A> done) {
        activity.Start(request, call, std::move(done));
      },
      "missing, or with other types, in the activity A that is named with this error: "
      "void Start(const Request& request, const everfold::ActivityCall& call, everfold::ActivityDone<A> done);");
  const bool is_first =
      type.activities
          .emplace(std::string(A::kOptions.name), ProcessActivityType{.request = &A::Request::default_instance(),
                                                                      .result = &A::Result::default_instance(),
                                                                      .options = A::kOptions,
                                                                      .object = std::move(object),
                                                                      .start = &StartActivity<A>,
                                                                      .react = &ReactToOutcome<P, A>,
                                                                      .is_result =
                                                                          [](const std::string& bytes) {
                                                                            typename A::Result result;
                                                                            return Parse(result, bytes);
                                                                          }})
          .second;
  if (!is_first) type.activity_named_twice = A::kOptions.name;
}

template <class P, class... A, class... Objects>
void AddProcessActivities([[maybe_unused]] ProcessType& type, Types<A...>,
                          [[maybe_unused]] std::tuple<std::shared_ptr<Objects>...> objects) {
  static_assert((kIsIn<Objects, Types<A...>> && ...),
                "an object is handed to Process<P>(...) that is not among the process's Activities");
  (AddProcessActivity<P, A>(type, ActivityObject<A>(objects)), ...);
}

// Without objects, whose Start is never called.
template <class P, class... A>
void AddPureActivities([[maybe_unused]] ProcessType& type, Types<A...>) {
  (AddProcessActivity<P, A>(type, nullptr), ...);
}

template <class P>
void ReactToTimer(google::protobuf::Message& state, const TimerFired& timer, StepRecorder& recorder) {
  Steps<P> steps(recorder);
  P::React(static_cast<typename P::Process&>(state), timer, steps);
}

}  // namespace internal

template <class P>
template <class Process>
constexpr void Steps<P>::CheckTimers() {
  static_assert(internal::HasExactReact<Process, TimerFired>,
                "a timer is set, and this is missing, or has other types: "
                "static void React(State& state, const everfold::TimerFired& timer, everfold::Steps<P>& steps);");
}

namespace internal {

// All but its activities.
template <class P>
ProcessType MakeProcessTypeAlone() {
  using State = typename P::Process;
  ProcessType type{.name = ProcessOf<State>::kName,
                   .initial_state = &State::default_instance(),
                   .mutable_id = [](google::protobuf::Message& state) {
                     return ProcessOf<State>::MutableId(static_cast<State&>(state));
                   }};
  if constexpr (requires { P::kOptions; }) type.start = P::kOptions.start;
  AddProcessEvents<P>(type, typename P::Events{});
  AddProcessCommands<P>(type, typename CommandsOfProcess<P>::type{});
  if constexpr (HasExactReact<P, TimerFired>) type.on_timer = &ReactToTimer<P>;
  return type;
}

}  // namespace internal

// `activities` are the objects whose Start is called, of those that have members.
template <class P, class... Objects>
ProcessType MakeProcessType(Objects... activities) {
  ProcessType type = internal::MakeProcessTypeAlone<P>();
  internal::AddProcessActivities<P>(type, typename internal::ActivitiesOfProcess<P>::type{},
                                    std::tuple(std::make_shared<Objects>(std::move(activities))...));
  return type;
}

// For tests of what it decides: its activities have no objects, and must not be started.
template <class P>
ProcessType MakePureProcessType() {
  ProcessType type = internal::MakeProcessTypeAlone<P>();
  internal::AddPureActivities<P>(type, typename internal::ActivitiesOfProcess<P>::type{});
  return type;
}

}  // namespace everfold
