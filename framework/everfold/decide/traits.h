// What generated code says about a domain's messages. A file wallet.proto becomes wallet.everfold.h, which specializes
// these templates; applications include that header and never write a specialization themselves.
//
//   template <> struct AggregateOf<Wallet> {
//     static constexpr char kName[] = "wallet";
//     using Commands = Types<OpenWallet, Deposit>;
//     using Events = Types<WalletOpened, Deposited>;      // without the superseded ones
//     using Superseded = Types<MoneyIn>;
//     using Rejections = Types<InsufficientFunds>;
//     template <class D> static constexpr bool Check();  // static_asserts that name each missing overload
//     static std::unique_ptr<RpcService> MakeCommandService(CommandHandler&);
//   };
//   template <> struct CommandTraits<Deposit> {
//     using Aggregate = Wallet;
//     static constexpr char kName[] = "wallet.v1.Deposit";
//     static constexpr Expect kExpect = Expect::kExisting;
//     static constexpr bool kNeedsRequestId = false;
//     static constexpr bool kRecordsOutcomes = false;
//     static const std::string& Id(const Deposit&);
//     static std::string* MutableId(Deposit&);
//     static void Validate(const Deposit&, absl::Time now, Violations&);
//   };
//   template <> struct EventTraits<Deposited> {
//     using Aggregate = Wallet;
//     static constexpr char kName[] = "wallet.v1.Deposited";
//     static constexpr std::array<std::string_view, 1> kWas = {"wallet.v1.PaidIn"};  // full names that it had before
//     static std::string_view Fingerprint();  // 32 bytes
//     static std::optional<absl::Time> EventTime(const Deposited&);
//     using Tags = Types<Tag<"wallet_id">>;
//     static void AddTags(const Deposited&, std::vector<std::string>& tags);  // each once
//     template <class P, class Models> static constexpr bool HasOn();  // see projection/projection.h
//   };
//   template <> struct EventTraits<MoneyIn> {           // a superseded event has more
//     using UpcastTo = Deposited;
//     static constexpr int kUpcastRevision = 1;
//   };
//   template <> struct RejectionTraits<InsufficientFunds> {
//     using Aggregate = Wallet;
//     static constexpr char kName[] = "wallet.v1.InsufficientFunds";
//     static constexpr absl::StatusCode kCode = absl::StatusCode::kFailedPrecondition;
//   };
//
// A boundary and what belongs to it are told apart from an aggregate's by `Boundary` in the place of `Aggregate`:
//
//   template <> struct BoundaryOf<Enrolment> {
//     static constexpr char kName[] = "enrolment";
//     using Commands = Types<EnrolStudent>;
//     using Rejections = Types<CourseFull>;
//     template <class D> static constexpr bool Check();
//     static std::unique_ptr<RpcService> MakeCommandService(CommandHandler&);
//   };
//   template <> struct CommandTraits<EnrolStudent> {
//     using Boundary = Enrolment;                       // no kExpect, Id and MutableId
//     ...
//   };
//
// A process's state:
//
//   template <> struct ProcessOf<Fulfilment> {
//     static constexpr char kName[] = "fulfilment";
//     static const std::string& Id(const Fulfilment&);
//     static std::string* MutableId(Fulfilment&);
//   };
#pragma once

#include "everfold/decide/types.h"

namespace everfold {

// What a command expects of its stream.
enum class Expect { kAny, kNew, kExisting };

template <class State>
struct AggregateOf;
template <class Boundary>
struct BoundaryOf;
template <class State>
struct ProcessOf;
template <class Command>
struct CommandTraits;
template <class Event>
struct EventTraits;
template <class Rejection>
struct RejectionTraits;

// The commands of one or several aggregates, named by their states: CommandsOf<Order, Payment>.
template <class... States>
using CommandsOf = Concat<typename AggregateOf<States>::Commands...>;

// The events of one or several aggregates, named by their states: EventsOf<Order, Payment>.
template <class... States>
using EventsOf = Concat<typename AggregateOf<States>::Events...>;

}  // namespace everfold
