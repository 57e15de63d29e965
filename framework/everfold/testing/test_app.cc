#include "everfold/testing/test_app.h"

#include <gtest/gtest.h>

#include "everfold/base/check.h"
#include "everfold/base/status.h"
#include "everfold/log/files/files.h"
#include "everfold/testing/opening_strand.h"

namespace everfold::testing {
namespace {

LogIdentity NewIdentity(std::uint32_t partitions, RandomSource& random) {
  return {.epoch = {random.Bytes(16)}, .partitions = partitions, .key = random.Bytes(32)};
}

std::string TextOfToken(const ConsistencyToken& token) {
  return token.epoch.bytes.empty() ? std::string() : EncodeToken(token);
}

}  // namespace

TestApp::TestApp(Parts parts, TestAppOptions options)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      executor_(options_.seed),
      random_(options_.seed),
      ways_(~options_.seed),
      storage_(std::make_shared<MemoryLogStorage>(NewIdentity(options_.partitions, random_))) {
  const absl::Status opened = Open();
  if (!opened.ok()) ADD_FAILURE() << "TestApp: " << opened;
  EVERFOLD_CHECK(opened.ok());
}

TestApp::~TestApp() { Crash(); }

absl::Status TestApp::Open() {
  EVERFOLD_CHECK(engine_ == nullptr);
  const absl::Status opened = StartEngine();
  if (!opened.ok()) Crash();
  return opened;
}

absl::Status TestApp::StartEngine() {
  EVERFOLD_ASSIGN_OR_RETURN(PartitionLog* const log, OpenLog());
  opening_ = true;
  auto engine = Engine::Start(OptionsOfEngine(), parts_, *log, executor_, executor_.clock(), random_);
  opening_ = false;
  EVERFOLD_RETURN_IF_ERROR(engine.status());
  engine_ = *std::move(engine);
  return absl::OkStatus();
}

absl::StatusOr<PartitionLog*> TestApp::OpenLog() {
  PartitionLog* log = nullptr;
  if (options_.log == TestLog::kEmbedded) {
    EmbeddedLogOptions options = options_.embedded;
    options.directory = directory_.path() + "/log";
    options.partitions = options_.partitions;
    options.make_strand = [this](const std::string&) { return executor_.MakeStrand(); };
    EVERFOLD_ASSIGN_OR_RETURN(embedded_log_, EmbeddedLog::Open(std::move(options), executor_, random_));
    log = embedded_log_.get();
  } else {
    memory_log_ = std::make_unique<MemoryLog>(storage_, executor_);
    log = memory_log_.get();
  }
  if (options_.wrap_log == nullptr) return log;
  wrapped_log_ = options_.wrap_log(*log, executor_);
  return wrapped_log_.get();
}

EngineOptions TestApp::OptionsOfEngine() {
  EngineOptions options = options_.engine;
  options.data_directory = directory_.path();
  if (options.reactors.make_thread == nullptr) {
    options.reactors.make_thread = [this](const std::string&) { return executor_.MakeStrand(); };
  }
  if (options.commands.snapshots == nullptr) options.commands.snapshots = snapshots_.get();
  if (options_.log == TestLog::kEmbedded) {
    options.store.index.files = options_.embedded.files != nullptr ? options_.embedded.files : &PosixFiles();
    options.store.index.directory = directory_.path() + "/index";
    options.store.make_index_strand = [this] {
      return std::make_unique<OpeningStrand>(executor_.MakeStrand(), opening_);
    };
  }
  return options;
}

EmbeddedLog& TestApp::embedded_log() {
  EVERFOLD_CHECK(embedded_log_ != nullptr);
  return *embedded_log_;
}

void TestApp::Crash() {
  executor_.DropAll();
  engine_.reset();
  wrapped_log_.reset();
  memory_log_.reset();
  embedded_log_.reset();
  executor_.DropAll();
}

void TestApp::Stop() {
  bool closed = false;
  engine_->Close([&closed] { closed = true; });
  EVERFOLD_CHECK(executor_.RunUntil([&closed] { return closed; }));
  if (embedded_log_ != nullptr) CloseLog();
  Crash();
}

void TestApp::CloseLog() {
  PartitionLog& log = wrapped_log_ != nullptr ? *wrapped_log_ : *embedded_log_;
  std::optional<absl::Status> closed;
  log.Close([&closed](absl::Status status) { closed = std::move(status); });
  EVERFOLD_CHECK(executor_.RunUntil([&closed] { return closed.has_value(); }));
  if (!closed->ok()) ADD_FAILURE() << "TestApp: the log does not close: " << *closed;
}

TestApp::Pending TestApp::Start(const google::protobuf::Message& command, SendOptions options) {
  auto kept = std::shared_ptr<google::protobuf::Message>(command.New());
  kept->CopyFrom(command);
  CommandRequest request;
  request.command = kept.get();
  request.request_id = std::move(options.request_id);
  request.expected_version = options.expected_version;
  request.metadata = std::move(options.metadata);
  request.within_call = ways_.Below(2) == 0;  // as it comes by gRPC, or from inside
  auto answer = std::make_shared<std::optional<Answer>>();
  engine_->commands().Handle(std::move(request), [answer, kept](Answer given) { *answer = std::move(given); });
  return answer;
}

TestApp::Answer TestApp::Send(const google::protobuf::Message& command, SendOptions options) {
  const Pending answer = Start(command, std::move(options));
  EVERFOLD_CHECK(executor_.RunUntil([&answer] { return answer->has_value(); }));
  return std::move(**answer);
}

CommandReceipt TestApp::Accepted(const google::protobuf::Message& command, SendOptions options) {
  const Answer answer = Send(command, std::move(options));
  if (answer.ok() && std::holds_alternative<CommandReceipt>(*answer)) return std::get<CommandReceipt>(*answer);
  ADD_FAILURE() << command.GetDescriptor()->name() << " {" << command.ShortDebugString() << "}: "
                << (answer.ok() ? "rejected: " + std::get<Rejection>(*answer).message->ShortDebugString()
                                : answer.status().ToString());
  return {};
}

absl::Status TestApp::GetRow(const ReadModelSchema& schema, QueryEngine::BindKey key, QueryEngine::VisitRow row,
                             const ConsistencyToken& token) {
  std::optional<absl::Status> answer;
  engine_->queries().Get(schema, {.consistency_token = TextOfToken(token)}, std::move(key), std::move(row),
                         [&answer](absl::Status status) { answer = std::move(status); });
  EVERFOLD_CHECK(executor_.RunUntil([&answer] { return answer.has_value(); }));
  return *answer;
}

absl::Status TestApp::ListRows(const ReadModelSchema& schema, QueryEngine::VisitRow row, const ConsistencyToken& token,
                               ListOptions list) {
  if (list.page_size == 0) list.page_size = kMaxPageSize;
  const QueryEngine::TakeRow take = [&row](const ColumnReader& in, std::size_t) {
    row(in);
    return std::size_t{1};
  };
  do {
    std::optional<absl::StatusOr<std::string>> next;
    engine_->queries().List(schema, {.consistency_token = TextOfToken(token)}, list, take,
                            [&next](absl::StatusOr<std::string> token) { next = std::move(token); });
    EVERFOLD_CHECK(executor_.RunUntil([&next] { return next.has_value(); }));
    if (!next->ok()) return next->status();
    list.page_token = **next;
  } while (!list.page_token.empty());
  return absl::OkStatus();
}

}  // namespace everfold::testing
