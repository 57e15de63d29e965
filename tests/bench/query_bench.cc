// query_bench: how fast queries are answered over gRPC, beside a server of the same service that answers at once with
// the same rows. `--help` tells the rest.
#include <grpcpp/client_context.h>
#include <grpcpp/server_context.h>

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/synchronization/notification.h"
#include "bench/v1/holding.everfold.h"
#include "bench/v1/holding_api.grpc.pb.h"
#include "everfold/base/status.h"
#include "everfold/base/timestamp.h"
#include "everfold/projection/projection.h"
#include "everfold/query/query_engine.h"
#include "everfold/rpc/grpc_server.h"
#include "everfold/runtime/asio_executor.h"
#include "tests/bench/bench_main.h"
#include "tests/bench/grpc_target.h"
#include "tests/bench/machine.h"
#include "tests/bench/store_target.h"
#include "tests/bench/turns.h"

namespace everfold::bench {
namespace {

using ::bench::v1::Holding;
using HoldingService = ::bench::v1::HoldingQueryService;

constexpr std::size_t kOutstanding[] = {1, 16, 64, 256};
constexpr int kExecutorThreads = 2;
constexpr std::uint32_t kRows = 10'000;
constexpr std::uint32_t kOwners = 50;  // with 200 rows each
constexpr int kPage = 100;

std::string IdOf(std::uint32_t row) { return Streams::NameOf(row).id; }
std::string OwnerOf(std::uint32_t row) { return absl::StrFormat("owner-%03d", row % kOwners); }

Holding RowOf(std::uint32_t number) {
  Holding row;
  row.set_holding_id(IdOf(number));
  row.set_owner(OwnerOf(number));
  *row.mutable_opened_at() = TimestampOf(absl::FromUnixSeconds(1'700'000'000 + number));
  row.set_balance_minor(number * 100);
  row.set_currency("BRL");
  row.set_note(std::string(100, 'n'));
  return row;
}

// One event for each row, whose number is its payload.
class RowEvents final : public AppendTarget {
 public:
  explicit RowEvents(EventStore& store) : store_(store) {}

  void Append(std::size_t, Caller& caller) override {
    const std::uint32_t row = next_.fetch_add(1) % kRows;
    NewEvent event{.type = EventTypeOf(0).name,
                   .fingerprint = EventTypeOf(0).fingerprint,
                   .payload = std::to_string(row),
                   .event_time = {},
                   .tags = {}};
    AppendRequest request;
    request.streams.push_back(
        {.stream = Streams::NameOf(row), .expectation = StreamExpectation::Any(), .events = {std::move(event)}});
    store_.Append(std::move(request),
                  [&caller](const absl::StatusOr<AppendResult>& result) { caller.OnDurable(result.status()); });
  }
  std::size_t events_a_commit() const override { return 1; }

 private:
  EventStore& store_;
  std::atomic<std::uint32_t> next_{0};
};

ProjectionType HoldingsType() {
  ProjectionType type{.name = "holdings",
                      .revision = 1,
                      .read_models = {&ReadModelTraits<Holding>::Schema()},
                      .handlers = {},
                      .keys = {},
                      .stored_forms = {}};
  type.handlers[EventTypeOf(0).name] = {[](std::string_view payload, const EventContext&, RowStore& rows) {
    Table<Holding>(rows).Upsert(RowOf(static_cast<std::uint32_t>(std::stoul(std::string(payload)))));
    return true;
  }};
  return type;
}

// Answers every call with the same rows as the read model has.
class EchoQueries final : public RpcService, public HoldingService::CallbackService {
 public:
  EchoQueries() : row_(RowOf(0)) {
    for (std::uint32_t i = 0; i < kPage; ++i) *page_.add_holdings() = RowOf(i * kOwners);
    page_.set_next_page_token(std::string(120, 'A'));
  }

  const char* name() const override { return HoldingService::service_full_name(); }
  grpc::Service& service() override { return *this; }

  grpc::ServerUnaryReactor* GetHolding(grpc::CallbackServerContext* context, const ::bench::v1::GetHoldingRequest*,
                                       ::bench::v1::GetHoldingResponse* response) override {
    *response->mutable_holding() = row_;
    return End(context);
  }
  grpc::ServerUnaryReactor* ListHoldings(grpc::CallbackServerContext* context, const ::bench::v1::ListHoldingsRequest*,
                                         ::bench::v1::ListHoldingsResponse* response) override {
    *response = page_;
    return End(context);
  }

 private:
  static grpc::ServerUnaryReactor* End(grpc::CallbackServerContext* context) {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  const Holding row_;
  ::bench::v1::ListHoldingsResponse page_;
};

enum class Question { kGet, kList, kFilteredList };

// Callers that ask, each for a row or a page chosen at random. "Durable" is that the answer is there.
class QueryTarget final : public AppendTarget {
 public:
  QueryTarget(const std::string& address, Question question)
      : stub_(HoldingService::NewStub(Connect(address))), question_(question), slots_(kMostCallers) {
    SystemRandom random;
    for (Slot& slot : slots_) slot.noise = Noise(random.Next());
  }

  void Append(std::size_t number, Caller& caller) override {
    Slot& slot = slots_[number];
    slot.context = std::make_unique<grpc::ClientContext>();
    const auto row = static_cast<std::uint32_t>(slot.noise.Below(kRows));
    const auto done = [&caller](const grpc::Status& status) {
      caller.OnDurable(absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message()));
    };
    if (question_ == Question::kGet) {
      slot.get.set_holding_id(IdOf(row));
      stub_->async()->GetHolding(slot.context.get(), &slot.get, &slot.row, done);
      return;
    }
    slot.list.set_page_size(kPage);
    if (question_ == Question::kFilteredList) {
      slot.list.set_filter(absl::StrFormat("owner = \"%s\"", OwnerOf(row)));
      slot.list.set_order_by("owner desc, opened_at desc");
    }
    stub_->async()->ListHoldings(slot.context.get(), &slot.list, &slot.page, done);
  }
  std::size_t events_a_commit() const override { return 1; }

 private:
  struct Slot {
    Noise noise{0};
    std::unique_ptr<grpc::ClientContext> context;
    ::bench::v1::GetHoldingRequest get;
    ::bench::v1::GetHoldingResponse row;
    ::bench::v1::ListHoldingsRequest list;
    ::bench::v1::ListHoldingsResponse page;
  };

  const std::unique_ptr<HoldingService::Stub> stub_;
  const Question question_;
  std::vector<Slot> slots_;
};

absl::StatusOr<std::unique_ptr<GrpcServer>> Listen(RpcService& service, const std::string& path) {
  GrpcServerOptions options;
  options.addresses = {"127.0.0.1:0", "unix:" + path};
  return GrpcServer::Start(options, {&service});
}

absl::Status MeasureQuestion(Run& run, const std::string& name, Question question, const std::string& ours_at,
                             const std::string& echo_at, std::optional<Goal> goal) {
  for (const std::size_t calls : kOutstanding) {
    QueryTarget ours(ours_at, question);
    QueryTarget echo(echo_at, question);
    const LoopOptions loop{.callers = calls, .max_time = run.options.round};
    EVERFOLD_ASSIGN_OR_RETURN(const Turns turns, TakeTurns(ours, echo, loop, run.options));
    AddTurns(run.figures, absl::StrFormat("%s, %d outstanding", name, calls), turns, goal);
  }
  return absl::OkStatus();
}

absl::Status Fill(EventStore& store, Projection& projection) {
  RowEvents rows(store);
  EVERFOLD_RETURN_IF_ERROR(RunClosedLoop(rows, {.callers = 256, .max_events = kRows}).status());
  projection.Start();
  std::vector<Position> heads;
  const Checkpoint head = store.DurableHead();
  for (std::size_t i = 0; i < head.offsets.size(); ++i) {
    heads.push_back({PartitionId(static_cast<std::uint32_t>(i)), head.offsets[i]});
  }
  absl::Notification reached;
  absl::Status status;
  projection.WaitFor(std::move(heads), [&](absl::Status s) {
    status = std::move(s);
    reached.Notify();
  });
  reached.WaitForNotification();
  return status;
}

absl::Status MeasureServers(Run& run, QueryEngine& engine) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::string sockets, run.scratch.MakeDirectory("query-sockets"));
  const std::unique_ptr<RpcService> service = ReadModelTraits<Holding>::MakeQueryService(engine);
  EchoQueries echoes;
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<GrpcServer> ours, Listen(*service, sockets + "/ours"));
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<GrpcServer> echo, Listen(echoes, sockets + "/echo"));
  for (const std::size_t i : {0, 1}) {
    const std::string transport = i == 0 ? "TCP" : "Unix socket";
    const auto measure = [&](const char* what, Question question, std::optional<Goal> goal) {
      return MeasureQuestion(run, absl::StrFormat("%s, %s", transport, what), question, ours->addresses()[i],
                             echo->addresses()[i], goal);
    };
    EVERFOLD_RETURN_IF_ERROR(measure("Get", Question::kGet, RatioAtLeast(0.8)));
    EVERFOLD_RETURN_IF_ERROR(measure("List of 100", Question::kList, std::nullopt));
    EVERFOLD_RETURN_IF_ERROR(measure("List of 100 by an index", Question::kFilteredList, std::nullopt));
  }
  return absl::OkStatus();
}

template <class Closable>
void WaitForClose(Closable& closable) {
  absl::Notification closed;
  closable.Close([&closed] { closed.Notify(); });
  closed.WaitForNotification();
}

absl::Status BenchQueryRpc(Run& run) {
  run.figures.Section("queries over gRPC, client and server in one process");
  EVERFOLD_ASSIGN_OR_RETURN(const std::string directory, run.scratch.MakeDirectory("query"));
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<OpenStore> store, OpenStore::Open(directory, kExecutorThreads));
  EVERFOLD_ASSIGN_OR_RETURN(const auto projection, Projection::Open({.directory = directory + "/read"}, HoldingsType(),
                                                                    store->store(), store->executor()));
  EVERFOLD_ASSIGN_OR_RETURN(
      const auto engine,
      QueryEngine::Create({projection.get()}, store->executor(), store->clock(),
                          {.make_readers = [](int threads) { return std::make_unique<AsioExecutor>(threads); }}));
  absl::Status measured = Fill(store->store(), *projection);
  if (measured.ok()) measured = MeasureServers(run, *engine);
  WaitForClose(*engine);
  WaitForClose(*projection);
  WaitUntilQuiet();
  EVERFOLD_RETURN_IF_ERROR(measured);
  return store->Close();
}

int Main(int argc, char** argv) {
  const BenchProgram program{
      .name = "tools/bench query",
      .description = "Measures queries, each figure beside what gRPC alone reaches in the same run.",
      .parts = {{"rpc", BenchQueryRpc}}};
  return BenchMain(program, argc, argv);
}

}  // namespace
}  // namespace everfold::bench

int main(int argc, char** argv) { return everfold::bench::Main(argc, argv); }
