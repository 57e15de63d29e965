// A call that waits, and what is left of it when it ends.
#include "everfold/rpc/wait_call.h"

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/mutex.h"
#include "everfold/v1/projection_service.grpc.pb.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint64_t kWait = 7;
constexpr absl::Duration kLong = absl::Seconds(30);

// Waits until the test says that it is over.
class WaitingService final : public v1::ProjectionService::CallbackService {
 public:
  grpc::ServerUnaryReactor* WaitForProjection(grpc::CallbackServerContext*, const v1::WaitForProjectionRequest*,
                                              v1::WaitForProjectionResponse*) override {
    return WaitCall::Start(
        calls,
        [this](WaitCall::Done wait_done) {
          MutexLock lock(&mutex);
          done = std::move(wait_done);
          begun = true;
          return kWait;
        },
        [this](std::uint64_t wait) {
          MutexLock lock(&mutex);
          cancelled.push_back(wait);
        });
  }

  void AwaitBegun() {
    MutexLock lock(&mutex);
    ASSERT_TRUE(mutex.AwaitWithTimeout(absl::Condition(&begun), kLong)) << "it never began to wait";
  }
  void AwaitCancelled() {
    const auto is_cancelled = [this] { return !cancelled.empty(); };
    MutexLock lock(&mutex);
    ASSERT_TRUE(mutex.AwaitWithTimeout(absl::Condition(&is_cancelled), kLong)) << "the wait was never cancelled";
  }

  const std::shared_ptr<LongCalls> calls = std::make_shared<LongCalls>();
  Mutex mutex;
  WaitCall::Done done;
  bool begun = false;
  std::vector<std::uint64_t> cancelled;
};

class WaitCallTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    stub_ = v1::ProjectionService::NewStub(
        grpc::CreateChannel(absl::StrFormat("127.0.0.1:%d", port), grpc::InsecureChannelCredentials()));
    stub_->async()->WaitForProjection(&context_, &request_, &response_, [this](grpc::Status status) {
      status_ = std::move(status);
      ended_.Notify();
    });
    service_.AwaitBegun();
  }
  void TearDown() override {
    ended_.WaitForNotification();
    server_->Shutdown();
  }

  WaitingService service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::ProjectionService::Stub> stub_;
  grpc::ClientContext context_;
  v1::WaitForProjectionRequest request_;
  v1::WaitForProjectionResponse response_;
  grpc::Status status_;
  Notification ended_;
};

TEST_F(WaitCallTest, IsAnsweredWhenTheWaitIsOver) {
  service_.done(absl::OkStatus());
  ended_.WaitForNotification();
  EXPECT_TRUE(status_.ok()) << status_.error_message();
  EXPECT_THAT(service_.cancelled, IsEmpty());
}

TEST_F(WaitCallTest, WaitIsDroppedWhenTheCallerHasGone) {
  context_.TryCancel();
  service_.AwaitCancelled();
  EXPECT_THAT(service_.cancelled, ElementsAre(kWait));
  service_.done(absl::OkStatus());  // was on its way
}

TEST_F(WaitCallTest, ServerEndsIt) {
  service_.calls->EndAll();
  ended_.WaitForNotification();
  EXPECT_EQ(status_.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(service_.cancelled, ElementsAre(kWait));
}

}  // namespace
}  // namespace everfold
