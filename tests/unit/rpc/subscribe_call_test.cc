// A subscription of a log that is damaged further on: its caller gets what comes before the damage, then what is wrong.
#include "everfold/rpc/subscribe_call.h"

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/clock.h"
#include "everfold/base/mutex.h"
#include "everfold/base/random.h"
#include "everfold/log/memory/memory_log.h"
#include "everfold/runtime/asio_executor.h"
#include "everfold/v1/event_store.grpc.pb.h"
#include "tests/unit/rpc/damaged_log.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;

class FollowedService final
    : public v1::EventStoreService::WithRawCallbackMethod_Subscribe<v1::EventStoreService::Service> {
 public:
  FollowedService(EventStore& store, Executor& executor) : store_(store), executor_(executor) {}

  SubscribeReactor* Subscribe(grpc::CallbackServerContext* context) override {
    return StartSubscribe(store_, executor_, calls_, *context);
  }

 private:
  EventStore& store_;
  Executor& executor_;
  LongCalls calls_;
};

class SubscribeCallTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto store = EventStore::Open({}, log_, executor_, clock_, random_);
    ASSERT_EQ(store.status(), absl::OkStatus());
    store_ = *std::move(store);
    service_ = std::make_unique<FollowedService>(*store_, executor_);
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(service_.get());
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    stub_ = v1::EventStoreService::NewStub(
        grpc::CreateChannel(absl::StrFormat("127.0.0.1:%d", port), grpc::InsecureChannelCredentials()));
  }
  void TearDown() override {
    server_->Shutdown();
    Notification closed;
    store_->Close([&closed] { closed.Notify(); });
    closed.WaitForNotification();
  }

  // A chunk of its own.
  void Append(const std::string& payload) {
    AppendRequest request;
    request.streams.push_back({.stream = {"", "wallet", "w1"}, .events = {}});
    request.streams[0].events.push_back(
        {.type = "wallet.v1.Deposited", .fingerprint = {}, .payload = payload, .event_time = {}, .tags = {}});
    absl::Status appended;
    Notification answered;
    store_->Append(std::move(request), [&](const absl::StatusOr<AppendResult>& it) {
      appended = it.status();
      answered.Notify();
    });
    answered.WaitForNotification();
    ASSERT_EQ(appended, absl::OkStatus());
  }

  AsioExecutor executor_{2};
  SystemClock clock_;
  SeededRandom random_{7};
  MemoryLog memory_{std::make_shared<MemoryLogStorage>(LogIdentity{{"0123456789abcdef"}, 1, std::string(32, 'k')}),
                    executor_};
  DamagedLog log_{memory_};
  std::unique_ptr<EventStore> store_;
  std::unique_ptr<FollowedService> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::EventStoreService::Stub> stub_;
};

TEST_F(SubscribeCallTest, CallerGetsWhatComesBeforeTheDamage) {
  for (const char* const payload : {"1", "2", "3", "4", "5"}) Append(payload);
  log_.upto = Offset(3);
  grpc::ClientContext context;
  const auto stream = stub_->Subscribe(&context);
  v1::SubscribeRequest start;
  start.mutable_start();
  ASSERT_TRUE(stream->Write(start));
  std::vector<std::string> payloads;
  v1::SubscribeResponse response;
  while (stream->Read(&response)) {
    EXPECT_FALSE(response.caught_up());
    for (const v1::RecordedEvent& event : response.events()) payloads.push_back(event.payload());
  }
  EXPECT_THAT(payloads, ElementsAre("1", "2", "3"));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DATA_LOSS);
  EXPECT_EQ(status.error_message(), "damaged");
}

}  // namespace
}  // namespace everfold
