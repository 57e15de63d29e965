#include "everfold/testing/test_app.h"

#include <gtest/gtest.h>

#include "everfold/base/check.h"
#include "everfold/base/status.h"

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
      storage_(std::make_shared<MemoryLogStorage>(NewIdentity(options_.partitions, random_))) {
  const absl::Status opened = Open();
  if (!opened.ok()) ADD_FAILURE() << "TestApp: " << opened;
  EVERFOLD_CHECK(opened.ok());
}

TestApp::~TestApp() { Crash(); }

absl::Status TestApp::Open() {
  EVERFOLD_CHECK(engine_ == nullptr);
  memory_log_ = std::make_unique<MemoryLog>(storage_, executor_);
  PartitionLog* log = memory_log_.get();
  if (options_.wrap_log != nullptr) {
    wrapped_log_ = options_.wrap_log(*memory_log_, executor_);
    log = wrapped_log_.get();
  }
  EngineOptions engine = options_.engine;
  engine.data_directory = directory_.path();
  if (engine.commands.snapshots == nullptr) engine.commands.snapshots = snapshots_.get();
  EVERFOLD_ASSIGN_OR_RETURN(engine_,
                            Engine::Start(std::move(engine), parts_, *log, executor_, executor_.clock(), random_));
  return absl::OkStatus();
}

void TestApp::Crash() {
  executor_.DropAll();
  engine_.reset();
  wrapped_log_.reset();
  memory_log_.reset();
  executor_.DropAll();
}

void TestApp::Stop() {
  bool closed = false;
  engine_->Close([&closed] { closed = true; });
  EVERFOLD_CHECK(executor_.RunUntil([&closed] { return closed; }));
  Crash();
}

TestApp::Pending TestApp::Start(const google::protobuf::Message& command, SendOptions options) {
  auto kept = std::shared_ptr<google::protobuf::Message>(command.New());
  kept->CopyFrom(command);
  CommandRequest request;
  request.command = kept.get();
  request.request_id = std::move(options.request_id);
  request.expected_version = options.expected_version;
  request.metadata = std::move(options.metadata);
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

absl::Status TestApp::ListRows(const ReadModelSchema& schema, QueryEngine::VisitRow row,
                               const ConsistencyToken& token) {
  std::string page;
  do {
    std::optional<absl::StatusOr<std::string>> next;
    engine_->queries().List(schema, {.consistency_token = TextOfToken(token)},
                            {.page_size = kMaxPageSize, .page_token = page}, row,
                            [&next](absl::StatusOr<std::string> token) { next = std::move(token); });
    EVERFOLD_CHECK(executor_.RunUntil([&next] { return next.has_value(); }));
    if (!next->ok()) return next->status();
    page = **next;
  } while (!page.empty());
  return absl::OkStatus();
}

}  // namespace everfold::testing
