// A wallet app that gets into every kind of trouble that a caller can be told of, over real gRPC and on real files.
//
//   troubled_wallet DATA_DIRECTORY ADDRESS [COMMAND...]
//
// The commands are obeyed before it opens its data.
//
// Each line of its standard input is obeyed, and answered by "done":
//
//   hold decisions    each waits from now on; "held" is printed when the first one does
//   hold projection   so does each event of the read model
//   let go            whatever is held goes on
//   fill disk         the disk is as if it were full
//   make room         and as it is again
//   pass an hour      the clock that the application asks goes on by one; its callers' do not
//   close             the application, while its server goes on to answer
//
// A withdrawal of 13 makes the decider throw, a deposit of 17 the projection; one of 15 is rejected with a code of its
// own. It ends with its input.
#include <atomic>
#include <iostream>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "everfold/app/engine.h"
#include "everfold/app/parts.h"
#include "everfold/base/check.h"
#include "everfold/base/clock.h"
#include "everfold/base/mutex.h"
#include "everfold/base/random.h"
#include "everfold/log/embedded/embedded_log.h"
#include "everfold/rpc/command_service.h"
#include "everfold/rpc/event_store_service.h"
#include "everfold/rpc/grpc_server.h"
#include "everfold/runtime/asio_executor.h"
#include "sample-apps/wallet/wallet.h"

namespace everfold {
namespace {

using wallet::v1::Deposited;
using wallet::v1::LimitExceeded;
using wallet::v1::Wallet;
using wallet::v1::WalletDecider;
using wallet::v1::Withdraw;

constexpr int kThreads = 4;
constexpr std::size_t kMaxCommands = 16;
constexpr std::size_t kMaxWaitingPerStream = 3;
constexpr std::size_t kMaxQueries = 8;

void Say(const char* line) { std::cout << line << std::endl; }

// Threading: thread-safe.
class Gate {
 public:
  void Close() {
    MutexLock lock(&mutex_);
    open_ = false;
    told_ = false;
  }
  void Open() {
    MutexLock lock(&mutex_);
    open_ = true;
  }
  void Pass() {
    MutexLock lock(&mutex_);
    if (open_) return;
    if (!std::exchange(told_, true)) Say("held");
    mutex_.Await(absl::Condition(&open_));
  }

 private:
  Mutex mutex_;
  bool open_ ABSL_GUARDED_BY(mutex_) = true;
  bool told_ ABSL_GUARDED_BY(mutex_) = false;
};

Gate& Decisions() {
  static Gate gate;
  return gate;
}
Gate& FoldedEvents() {
  static Gate gate;
  return gate;
}

// The system's, and the hours that have been made to pass.
class HastenedClock final : public Clock {
 public:
  absl::Time Now() const override { return system_.Now() + absl::Hours(1) * hours_.load(); }
  void PassAnHour() { ++hours_; }

 private:
  SystemClock system_;
  std::atomic<int> hours_ = 0;
};

struct TroubledDecider : WalletDecider {
  template <class Command>
  static Decision<Wallet> Decide(const Wallet& s, const Command& c, Context& context) {
    Decisions().Pass();
    return WalletDecider::Decide(s, c, context);
  }
  static Decision<Wallet> Decide(const Wallet& s, const Withdraw& c, Context& context) {
    if (c.amount_minor() == 13) throw std::runtime_error("thirteen");
    return WalletDecider::Decide(s, c, context);
  }
};

struct TroubledBalances : wallet::v1::Balances {
  using Balances = wallet::v1::Balances;
  template <class Event>
  static void On(const Event& e, const EventContext& c, ReadModels& t) {
    FoldedEvents().Pass();
    Balances::On(e, c, t);
  }
  static void On(const Deposited& e, const EventContext& c, ReadModels& t) {
    FoldedEvents().Pass();
    if (e.amount_minor() == 17) throw std::runtime_error("seventeen");
    Balances::On(e, c, t);
  }
};

// As of a wallet whose LimitExceeded has the option {code: "OUT_OF_RANGE"}.
AnyDecision DecideWithdraw(const google::protobuf::Message& state, const google::protobuf::Message& command,
                           Context& context) {
  const auto& withdraw = static_cast<const Withdraw&>(command);
  if (withdraw.amount_minor() != 15) {
    return TroubledDecider::Decide(static_cast<const Wallet&>(state), withdraw, context).Release();
  }
  AnyDecision rejected;
  rejected.rejection = {std::make_unique<LimitExceeded>(wallet::v1::MakeLimitExceeded({.room_minor = 14})),
                        absl::StatusCode::kOutOfRange};
  return rejected;
}

void LetGo() {
  Decisions().Open();
  FoldedEvents().Open();
}

// False for what is no command to a gate.
bool ObeyGate(std::string_view line) {
  if (line == "hold decisions") {
    Decisions().Close();
  } else if (line == "hold projection") {
    FoldedEvents().Close();
  } else if (line == "let go") {
    LetGo();
  } else {
    return false;
  }
  return true;
}

class TroubledApp {
 public:
  TroubledApp(const std::string& directory, const std::string& address) {
    EmbeddedLogOptions log{.directory = directory + "/log"};
    log.free_bytes = [this] { return full_ ? 0 : std::numeric_limits<std::uint64_t>::max(); };
    log_ = EmbeddedLog::Open(std::move(log), executor_, random_).value();
    EngineOptions options;
    options.data_directory = directory;
    options.store.index.files = &PosixFiles();
    options.store.index.directory = directory + "/index";
    options.commands.max_commands = kMaxCommands;
    options.commands.max_waiting_per_stream = kMaxWaitingPerStream;
    options.max_queries = kMaxQueries;
    Parts parts;
    parts.Aggregate<TroubledDecider>().Projection<TroubledBalances>();
    parts.aggregates[0].commands.at("wallet.v1.Withdraw").decide = &DecideWithdraw;
    engine_ = Engine::Start(std::move(options), std::move(parts), *log_, executor_, clock_, random_).value();
    services_.push_back(AggregateOf<Wallet>::MakeCommandService(engine_->commands()));
    services_.push_back(ReadModelTraits<wallet::v1::WalletBalance>::MakeQueryService(engine_->queries()));
    services_.push_back(MakeCommandService(engine_->commands()));
    services_.push_back(MakeEventStoreService(engine_->store(), *log_, executor_, {}));
    std::vector<RpcService*> borrowed;
    for (const auto& service : services_) borrowed.push_back(service.get());
    GrpcServerOptions server;
    server.addresses = {address};
    server_ = GrpcServer::Start(server, borrowed).value();
  }
  ~TroubledApp() {
    LetGo();
    server_->Shutdown(SystemClock().Now());
    Close();
    Notification closed;
    log_->Close([&closed](const absl::Status&) { closed.Notify(); });  // it may have failed, as it was told to
    closed.WaitForNotification();
    executor_.Join();
  }

  void Obey(std::string_view line) {
    if (ObeyGate(line)) return;
    if (line == "fill disk" || line == "make room") return void(full_ = line == "fill disk");
    if (line == "pass an hour") return clock_.PassAnHour();
    EVERFOLD_CHECK(line == "close");
    Close();
  }

 private:
  void Close() {
    if (std::exchange(closed_, true)) return;
    Notification closed;
    engine_->Close([&closed] { closed.Notify(); });
    closed.WaitForNotification();
  }

  HastenedClock clock_;
  SystemRandom random_;
  AsioExecutor executor_{kThreads};
  std::atomic<bool> full_ = false;
  bool closed_ = false;
  std::unique_ptr<EmbeddedLog> log_;
  std::unique_ptr<Engine> engine_;
  std::vector<std::unique_ptr<RpcService>> services_;
  std::unique_ptr<GrpcServer> server_;
};

}  // namespace
}  // namespace everfold

int main(int argc, char** argv) {
  EVERFOLD_CHECK(argc >= 3);
  for (int i = 3; i < argc; ++i) EVERFOLD_CHECK(everfold::ObeyGate(argv[i]));
  everfold::TroubledApp app(argv[1], argv[2]);
  for (std::string line; std::getline(std::cin, line);) {
    app.Obey(line);
    everfold::Say("done");
  }
}
