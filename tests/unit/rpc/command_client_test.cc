#include "everfold/rpc/command_client.h"

#include <gmock/gmock.h>

#include "everfold/base/error.h"
#include "everfold/decide/aggregate_type.h"
#include "everfold/rpc/command_service.h"
#include "tests/unit/rpc/counter.h"

namespace everfold {
namespace {

using counter::v1::Increase;
using ::testing::_;
using ::testing::Return;

// The first answers are given in turn, the last one for ever after.
class CommandClientTest : public ::testing::Test {
 protected:
  CommandClientTest() {
    type_.prototype = &Increase::default_instance();
    type_.id = [](const google::protobuf::Message& command) -> const std::string& {
      return static_cast<const Increase&>(command).counter_id();
    };
    aggregate_.name = "counter";
    EXPECT_CALL(handler_, FindTarget(_)).WillRepeatedly(Return(CommandTarget{&aggregate_, &type_}));
    EXPECT_CALL(handler_, Handle(_, _)).WillRepeatedly([this](CommandRequest request, CommandHandler::Done done) {
      ids_.push_back(request.request_id);
      done(answers_.size() > 1 ? TakeAnswer() : Answer());
    });
    auto server = GrpcServer::Start({.addresses = {"127.0.0.1:0"}}, {service_.get()});
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  static absl::StatusOr<CommandOutcome> Accepted() {
    return CommandReceipt{.stream = {.tenant = "", .aggregate = "counter", .id = "c1"},
                          .version = Version(7),
                          .token = {.epoch = {std::string(16, 'e')}, .positions = {{PartitionId(3), Offset(12)}}},
                          .sequence = Sequence(42),
                          .recorded_at = absl::UnixEpoch(),
                          .repeated = false};
  }
  static absl::Status Overloaded(absl::Duration retry_after) {
    absl::Status status = Error(absl::StatusCode::kResourceExhausted, reason::kOverloaded, "too much");
    AddRetryInfo(status, retry_after);
    return status;
  }

  absl::StatusOr<v1::CommandReceipt> Execute(CommandClientOptions options = {.timeout = absl::Seconds(20)},
                                             const ExecuteOptions& more = {}) {
    CommandClient client(grpc::CreateChannel(server_->addresses().front(), grpc::InsecureChannelCredentials()),
                         options);
    Increase command;
    command.set_counter_id("c1");
    return client.Execute(command, more);
  }

  absl::StatusOr<CommandOutcome> Answer() { return answers_.front().ok() ? Accepted() : answers_.front(); }
  absl::StatusOr<CommandOutcome> TakeAnswer() {
    absl::StatusOr<CommandOutcome> answer = Answer();
    answers_.erase(answers_.begin());
    return answer;
  }

  CommandType type_;
  AggregateType aggregate_;
  ::testing::NiceMock<MockCommandHandler> handler_;
  std::vector<absl::Status> answers_ = {absl::OkStatus()};
  std::vector<std::string> ids_;
  std::unique_ptr<RpcService> service_ = MakeCommandService(handler_);
  std::unique_ptr<GrpcServer> server_;
};

TEST_F(CommandClientTest, SendsARequestIdOfItsOwn) {
  EXPECT_EQ(Execute()->version(), 7u);
  EXPECT_EQ(Execute()->version(), 7u);
  ASSERT_EQ(ids_.size(), 2u);
  EXPECT_EQ(ids_[0].size(), 36u);
  EXPECT_NE(ids_[0], ids_[1]);
}

TEST_F(CommandClientTest, RetriesUnderTheSameIdWhatMayEndBetter) {
  answers_ = {Overloaded(absl::Milliseconds(30)), absl::UnavailableError("stopping"),
              Error(absl::StatusCode::kUnknown, reason::kOutcomeUnknown, "who knows"), absl::OkStatus()};
  const absl::Time began = absl::Now();
  EXPECT_EQ(Execute({.timeout = absl::Seconds(20)}, {.request_id = "r1"})->version(), 7u);
  EXPECT_THAT(ids_, ::testing::ElementsAre("r1", "r1", "r1", "r1"));
  EXPECT_GE(absl::Now() - began, absl::Milliseconds(30)) << "what the application asked for";
}

TEST_F(CommandClientTest, DoesNotRetryWhatIsDecided) {
  for (const absl::Status& decided :
       {absl::InvalidArgumentError("no"), absl::AbortedError("conflict"), absl::FailedPreconditionError("rejected"),
        absl::UnknownError("a bug"), absl::InternalError("threw")}) {
    answers_ = {decided};
    ids_.clear();
    EXPECT_EQ(Execute().status().code(), decided.code());
    EXPECT_EQ(ids_.size(), 1u) << decided;
  }
}

// The first attempt may have done it: that the second was refused does not say that nothing was changed.
TEST_F(CommandClientTest, AnOutcomeThatNobodyToldIsUnknown) {
  answers_ = {absl::UnavailableError("the answer was lost"), Overloaded(absl::Seconds(60))};
  const absl::Status status = Execute({.timeout = absl::Seconds(10)}, {.request_id = "r1"}).status();
  EXPECT_EQ(ReasonOf(status), reason::kOutcomeUnknown) << status;
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("request_id r1"));
}

TEST_F(CommandClientTest, GivesUpWithTheLastErrorWhenItsTimeIsOver) {
  answers_ = {Overloaded(absl::Milliseconds(1))};
  const absl::Status status = Execute({.timeout = absl::Milliseconds(300)}).status();
  EXPECT_EQ(ReasonOf(status), reason::kOverloaded);
  EXPECT_GT(ids_.size(), 1u);
}

}  // namespace
}  // namespace everfold
