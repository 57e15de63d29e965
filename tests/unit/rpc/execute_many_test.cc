// Commands of a call of many, and of a caller who goes.
#include <gmock/gmock.h>

#include <thread>

#include "everfold/base/error.h"
#include "everfold/base/mutex.h"
#include "everfold/command/command_errors.h"
#include "everfold/decide/aggregate_type.h"
#include "everfold/rpc/command_service.h"
#include "everfold/v1/command_service.grpc.pb.h"
#include "tests/unit/rpc/counter.h"

namespace everfold {
namespace {

using counter::v1::Increase;
using ::testing::_;
using ::testing::Return;

// Commands stay under way until the test ends them.
class ExecuteManyTest : public ::testing::Test {
 protected:
  struct UnderWay {
    const std::atomic<bool>* abandoned;
    CommandHandler::Done done;
  };

  ExecuteManyTest() {
    type_.prototype = &Increase::default_instance();
    type_.id = [](const google::protobuf::Message& command) -> const std::string& {
      return static_cast<const Increase&>(command).counter_id();
    };
    aggregate_.name = "counter";
    EXPECT_CALL(handler_, FindTarget(_)).WillRepeatedly(Return(CommandTarget{&aggregate_, &type_}));
    EXPECT_CALL(handler_, Handle(_, _)).WillRepeatedly([this](CommandRequest request, CommandHandler::Done done) {
      MutexLock lock(&mutex_);
      under_way_.push_back({request.abandoned, std::move(done)});
    });
    server_ = GrpcServer::Start({.addresses = {"127.0.0.1:0"}}, {service_.get()}).value();
    stub_ = v1::CommandService::NewStub(
        grpc::CreateChannel(server_->addresses().front(), grpc::InsecureChannelCredentials()));
  }

  static v1::ExecuteManyRequest RequestOf(std::uint64_t commands) {
    v1::ExecuteManyRequest request;
    for (std::uint64_t id = 1; id <= commands; ++id) {
      auto& item = *request.add_items();
      item.set_id(id);
      Increase command;
      command.set_counter_id("c1");
      item.mutable_command()->mutable_command()->PackFrom(command);
    }
    return request;
  }
  std::vector<UnderWay> TakeUnderWay(std::size_t commands) {
    MutexLock lock(&mutex_);
    const auto all_there = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return under_way_.size() == commands; };
    mutex_.Await(absl::Condition(&all_there));
    return std::exchange(under_way_, {});
  }
  // The answer that a handler gives to a command whose caller has gone.
  static absl::Status Dropped() { return CallerHasGone(); }

  AggregateType aggregate_;
  CommandType type_;
  MockCommandHandler handler_;
  Mutex mutex_;
  std::vector<UnderWay> under_way_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<RpcService> service_ = MakeCommandService(handler_);
  std::unique_ptr<GrpcServer> server_;
  std::unique_ptr<v1::CommandService::Stub> stub_;
};

TEST_F(ExecuteManyTest, CommandsOfACallerWhoIsThereAreNotAbandoned) {
  grpc::ClientContext context;
  const auto call = stub_->ExecuteMany(&context);
  ASSERT_TRUE(call->Write(RequestOf(2)));
  for (UnderWay& command : TakeUnderWay(2)) {
    ASSERT_NE(command.abandoned, nullptr);
    EXPECT_FALSE(command.abandoned->load());
    command.done(Error(absl::StatusCode::kNotFound, reason::kStreamNotFound, "counter/c1 does not exist"));
  }
  ASSERT_TRUE(call->WritesDone());
  int answers = 0;
  for (v1::ExecuteManyResponse response; call->Read(&response);) answers += response.items_size();
  EXPECT_EQ(answers, 2);
  EXPECT_TRUE(call->Finish().ok());
}

TEST_F(ExecuteManyTest, CommandsOfACallerWhoHasGoneAreAbandoned) {
  grpc::ClientContext context;
  const auto call = stub_->ExecuteMany(&context);
  ASSERT_TRUE(call->Write(RequestOf(3)));
  std::vector<UnderWay> commands = TakeUnderWay(3);
  context.TryCancel();
  EXPECT_EQ(call->Finish().error_code(), grpc::StatusCode::CANCELLED);
  for (UnderWay& command : commands) {
    while (!command.abandoned->load()) std::this_thread::yield();  // the server is told a moment later
  }
  // It is set until the last of them is answered.
  commands[0].done(Dropped());
  EXPECT_TRUE(commands[1].abandoned->load());
  commands[1].done(Dropped());
  EXPECT_TRUE(commands[2].abandoned->load());
  commands[2].done(Dropped());
}

}  // namespace
}  // namespace everfold
