#include "everfold/rpc/grpc_server.h"

#include <arpa/inet.h>
#include <grpcpp/generic/generic_stub.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "everfold/base/mutex.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "tests/unit/rpc/counter.h"

namespace everfold {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using grpc::reflection::v1::ServerReflection;
using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;
using testing::_;
using testing::ElementsAre;
using testing::HasSubstr;

class GrpcServerTest : public CounterServerTest {
 protected:
  grpc::Status Check(const std::string& service, HealthCheckResponse& response) {
    grpc::ClientContext context;
    HealthCheckRequest request;
    request.set_service(service);
    return Health::NewStub(channel_)->Check(&context, request, &response);
  }

  HealthCheckResponse::ServingStatus StateOf(const std::string& service) {
    HealthCheckResponse response;
    EXPECT_TRUE(Check(service, response).ok());
    return response.status();
  }

  ServerReflectionResponse Ask(const ServerReflectionRequest& request) {
    grpc::ClientContext context;
    const auto stream = ServerReflection::NewStub(channel_)->ServerReflectionInfo(&context);
    ServerReflectionResponse response;
    EXPECT_TRUE(stream->Write(request));
    EXPECT_TRUE(stream->Read(&response));
    stream->WritesDone();
    EXPECT_TRUE(stream->Finish().ok());
    return response;
  }
};

std::vector<std::string> NamesOf(const ServerReflectionResponse& response) {
  std::vector<std::string> names;
  for (const auto& service : response.list_services_response().service()) names.push_back(service.name());
  return names;
}

std::vector<std::string> FilesOf(const ServerReflectionResponse& response) {
  std::vector<std::string> files;
  for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
    google::protobuf::FileDescriptorProto file;
    EXPECT_TRUE(file.ParseFromString(bytes));
    files.push_back(file.name());
  }
  return files;
}

TEST_F(GrpcServerTest, IsHealthyAsAWholeAndForEachService) {
  EXPECT_EQ(StateOf(""), HealthCheckResponse::SERVING);
  EXPECT_EQ(StateOf("counter.v1.CounterCommandService"), HealthCheckResponse::SERVING);
  EXPECT_EQ(StateOf("counter.v1.CounterTotalQueryService"), HealthCheckResponse::SERVING);
}

TEST_F(GrpcServerTest, KnowsNoHealthOfOtherServices) {
  HealthCheckResponse response;
  const grpc::Status status = Check("other.Service", response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "this server has no service other.Service");
}

TEST_F(GrpcServerTest, TellsThatItIsNotServing) {
  server_->SetServing(false);
  EXPECT_EQ(StateOf(""), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(StateOf("counter.v1.CounterCommandService"), HealthCheckResponse::NOT_SERVING);
  server_->SetServing(true);
  EXPECT_EQ(StateOf(""), HealthCheckResponse::SERVING);
}

TEST_F(GrpcServerTest, WatchersSeeEveryChangeAndTheEnd) {
  grpc::ClientContext context;
  const auto watch = Health::NewStub(channel_)->Watch(&context, HealthCheckRequest());
  HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  server_->SetServing(false);
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  server_->SetServing(true);
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  server_->Shutdown(absl::InfiniteFuture());  // does not wait for the client to let go
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_FALSE(watch->Read(&response));
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcServerTest, AWatchOfAnUnknownServiceStaysOpen) {
  grpc::ClientContext context;
  HealthCheckRequest request;
  request.set_service("other.Service");
  const auto watch = Health::NewStub(channel_)->Watch(&context, request);
  HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVICE_UNKNOWN);
  context.TryCancel();
  EXPECT_FALSE(watch->Read(&response));
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(GrpcServerTest, ReflectionListsServices) {
  ServerReflectionRequest request;
  request.set_list_services("*");
  EXPECT_THAT(NamesOf(Ask(request)),
              ElementsAre("counter.v1.CounterCommandService", "counter.v1.CounterTotalQueryService",
                          "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"));
}

TEST_F(GrpcServerTest, ReflectionDescribesEveryListedService) {
  ServerReflectionRequest request;
  request.set_list_services("*");
  for (const std::string& name : NamesOf(Ask(request))) {
    ServerReflectionRequest describe;
    describe.set_file_containing_symbol(name);
    EXPECT_FALSE(FilesOf(Ask(describe)).empty()) << name;
  }
}

TEST_F(GrpcServerTest, ReflectionSendsAFileWithItsImports) {
  ServerReflectionRequest request;
  request.set_file_containing_symbol("counter.v1.CounterCommandService");
  EXPECT_THAT(FilesOf(Ask(request)), ElementsAre("tests/unit/rpc/counter.proto", "everfold/v1/receipt.proto",
                                                 "google/protobuf/timestamp.proto"));
}

TEST_F(GrpcServerTest, ReflectionFindsAFileByItsName) {
  ServerReflectionRequest request;
  request.set_file_by_filename("grpc/health/v1/health.proto");
  EXPECT_THAT(FilesOf(Ask(request)), ElementsAre("grpc/health/v1/health.proto"));
}

TEST_F(GrpcServerTest, ReflectionSaysWhatItDoesNotKnow) {
  ServerReflectionRequest request;
  request.set_file_containing_symbol("other.Service");
  const ServerReflectionResponse response = Ask(request);
  EXPECT_EQ(response.error_response().error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(response.error_response().error_message(), "other.Service is not known here");
  EXPECT_EQ(response.original_request().file_containing_symbol(), "other.Service");
}

// Sends one message to any method, as tools without generated code do.
grpc::Status CallGeneric(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                         const std::string& request, std::string& response) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  const grpc::Slice slice(request);
  const grpc::ByteBuffer out(&slice, 1);
  grpc::ByteBuffer in;
  grpc::Status status;
  Notification done;
  stub.UnaryCall(&context, method, grpc::StubOptions(), &out, &in, [&](const grpc::Status& result) {
    status = result;
    done.Notify();
  });
  done.WaitForNotification();
  grpc::Slice received;
  if (status.ok() && in.DumpToSingleSlice(&received).ok()) {
    response.assign(reinterpret_cast<const char*>(received.begin()), received.size());
  }
  return status;
}

TEST_F(GrpcServerTest, ReflectionAnswersUnderItsOldName) {
  ServerReflectionRequest request;
  request.set_list_services("*");
  std::string bytes;
  const grpc::Status status = CallGeneric(channel_, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                                          request.SerializeAsString(), bytes);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ServerReflectionResponse response;
  ASSERT_TRUE(response.ParseFromString(bytes));
  EXPECT_EQ(NamesOf(response).size(), 4u);
}

TEST_F(GrpcServerTest, HasNoOtherMethods) {
  std::string bytes;
  const grpc::Status status = CallGeneric(channel_, "/other.Service/Method", "", bytes);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(status.error_message(), "this server has no method /other.Service/Method");
}

TEST_F(GrpcServerTest, ShutdownEndsReflectionThatIsOpen) {
  grpc::ClientContext context;
  const auto stream = ServerReflection::NewStub(channel_)->ServerReflectionInfo(&context);
  ServerReflectionRequest request;
  request.set_list_services("*");
  ServerReflectionResponse response;
  ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(stream->Read(&response));
  server_->Shutdown(absl::InfiniteFuture());
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcServerTest, RefusesARequestAboveTheLimit) {
  counter::v1::IncreaseRequest request;
  request.set_request_id(std::string(5 << 20, 'x'));
  counter::v1::IncreaseResponse response;
  grpc::ClientContext context;
  EXPECT_EQ(commands_->Increase(&context, request, &response).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(GrpcServerTest, RefusesAPortThatIsInUse) {
  const std::string address = server_->addresses().front();
  const auto second = GrpcServer::Start({.addresses = {address}}, {});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(second.status().message(),
            "cannot listen on " + address +
                ": address in use; stop the process that listens there, or choose another address");
}

TEST_F(GrpcServerTest, RefusesTwoServicesOfOneName) {
  const auto second = GrpcServer::Start({.addresses = {"127.0.0.1:0"}}, {&command_service_, &command_service_});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(second.status().message(), "two services are called counter.v1.CounterCommandService");
}

TEST_F(GrpcServerTest, RefusesToListenNowhere) {
  EXPECT_EQ(GrpcServer::Start({.addresses = {}}, {}).status().message(), "no address to listen on");
}

TEST_F(GrpcServerTest, ListensOnAUnixSocketToo) {
  const std::string path = testing::TempDir() + "everfold_rpc_test.sock";
  const auto server = GrpcServer::Start({.addresses = {"unix:" + path, "127.0.0.1:0"}}, {});
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ((*server)->addresses().front(), "unix:" + path);
  channel_ = grpc::CreateChannel("unix:" + path, grpc::InsecureChannelCredentials());
  EXPECT_EQ(StateOf(""), HealthCheckResponse::SERVING);
  const auto second = GrpcServer::Start({.addresses = {"unix:" + path}}, {});
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("address in use"));
  EXPECT_EQ(StateOf(""), HealthCheckResponse::SERVING);  // the first one still has its socket
}

// A call that is answered when the test says so.
class HeldCall {
 public:
  void Start(counter::v1::CounterCommandService::Stub& stub) {
    request_.mutable_command()->set_counter_id("c1");
    stub.async()->Increase(&context_, &request_, &response_, [this](const grpc::Status& status) {
      status_ = status;
      ended_.Notify();
    });
  }
  void Hold(CommandHandler::Done done) {
    answer_ = std::move(done);
    held_.Notify();
  }
  void WaitUntilHeld() { held_.WaitForNotification(); }
  void Answer() { answer_(CommandReceipt()); }
  grpc::Status End() {
    ended_.WaitForNotification();
    return status_;
  }

 private:
  grpc::ClientContext context_;
  counter::v1::IncreaseRequest request_;
  counter::v1::IncreaseResponse response_;
  CommandHandler::Done answer_;
  Notification held_, ended_;
  grpc::Status status_;
};

TEST_F(GrpcServerTest, ShutdownLetsCallsEnd) {
  HeldCall call;
  EXPECT_CALL(handler_, Handle(_, _)).WillOnce([&](CommandRequest, CommandHandler::Done done) {
    call.Hold(std::move(done));
  });
  grpc::ClientContext context;
  const auto watch = Health::NewStub(channel_)->Watch(&context, HealthCheckRequest());
  HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  call.Start(*commands_);
  call.WaitUntilHeld();
  std::atomic<bool> answered = false, answered_before_shutdown_returned = false;
  std::jthread shutdown([&] {
    server_->Shutdown(absl::InfiniteFuture());
    answered_before_shutdown_returned = answered.load();
  });
  ASSERT_TRUE(watch->Read(&response));  // so the shutdown has begun
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  answered = true;
  call.Answer();
  EXPECT_TRUE(call.End().ok());
  shutdown.join();
  EXPECT_TRUE(answered_before_shutdown_returned);
}

// A client that is connected, and neither reads nor sends any more.
class SilentClient {
 public:
  explicit SilentClient(const std::string& address) {
    const std::size_t colon = address.rfind(':');
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0);
    const std::string hello("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);  // and empty settings
    EXPECT_EQ(send(socket_, hello.data(), hello.size(), 0), static_cast<ssize_t>(hello.size()));
    char settings[9];
    EXPECT_EQ(recv(socket_, settings, sizeof(settings), MSG_WAITALL), static_cast<ssize_t>(sizeof(settings)));
  }
  ~SilentClient() { close(socket_); }
  SilentClient(const SilentClient&) = delete;
  SilentClient& operator=(const SilentClient&) = delete;

 private:
  const int socket_ = socket(AF_INET, SOCK_STREAM, 0);
};

TEST_F(GrpcServerTest, ShutdownDoesNotWaitForAConnectionWithoutACall) {
  const SilentClient client(server_->addresses().front());
  EXPECT_EQ(StateOf(""), HealthCheckResponse::SERVING);  // one that is idle
  server_->Shutdown(absl::InfiniteFuture());
}

TEST_F(GrpcServerTest, ShutdownCancelsCallsThatDoNotEndInTime) {
  HeldCall call;
  EXPECT_CALL(handler_, Handle(_, _)).WillOnce([&](CommandRequest, CommandHandler::Done done) {
    call.Hold(std::move(done));
  });
  call.Start(*commands_);
  call.WaitUntilHeld();
  std::jthread shutdown([&] { server_->Shutdown(absl::InfinitePast()); });
  EXPECT_FALSE(call.End().ok());
  call.Answer();  // late; the server still waits for it, because it may touch the call
  shutdown.join();
}

}  // namespace
}  // namespace everfold
