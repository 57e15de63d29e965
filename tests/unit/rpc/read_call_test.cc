// A call that reads, and what becomes of its responses when its caller is slow, or gone, or the source fails.
#include "everfold/rpc/read_call.h"

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/slice.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/mutex.h"
#include "everfold/runtime/asio_executor.h"
#include "everfold/v1/event_store.grpc.pb.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr absl::Duration kLong = absl::Seconds(30);

// What a source has made, and whether it is still there.
struct Made {
  void Await(std::size_t count) {
    const auto is_made = [&] { return responses >= count; };
    MutexLock lock(&mutex);
    ASSERT_TRUE(mutex.AwaitWithTimeout(absl::Condition(&is_made), kLong)) << responses << " responses were made";
  }

  Mutex mutex;
  std::size_t responses = 0;
  Notification asked, gone;
};

// Numbers its responses by their checkpoints.
class NumberedSource final : public ResponseSource {
 public:
  // With `begin` it makes nothing until then.
  NumberedSource(Made& made, std::size_t responses, std::size_t bytes, absl::Status end, Notification* begin = nullptr)
      : made_(made), left_(responses), bytes_(bytes), end_(std::move(end)), begin_(begin) {}
  ~NumberedSource() override { made_.gone.Notify(); }

  absl::StatusOr<std::optional<grpc::ByteBuffer>> Next() override {
    if (!made_.asked.HasBeenNotified()) made_.asked.Notify();
    if (begin_ != nullptr) begin_->WaitForNotification();
    if (left_ == 0 && !end_.ok()) return end_;
    if (left_ == 0) return std::nullopt;
    --left_;
    MutexLock lock(&made_.mutex);
    v1::ReadAllResponse response;
    response.set_checkpoint(std::to_string(++made_.responses));
    response.add_events()->set_payload(std::string(bytes_, 'p'));
    const grpc::Slice slice(response.SerializeAsString());
    return grpc::ByteBuffer(&slice, 1);
  }

 private:
  Made& made_;
  std::size_t left_;
  const std::size_t bytes_;
  const absl::Status end_;
  Notification* const begin_;
};

using Service = v1::EventStoreService::WithRawCallbackMethod_ReadAll<v1::EventStoreService::Service>;

class ReadingService final : public Service {
 public:
  grpc::ServerWriteReactor<grpc::ByteBuffer>* ReadAll(grpc::CallbackServerContext* context,
                                                      const grpc::ByteBuffer*) override {
    return ReadCall::Start(executor, calls, *context, std::move(source));
  }

  LongCalls calls;
  AsioExecutor executor{1};
  absl::StatusOr<std::unique_ptr<ResponseSource>> source;
};

class ReadCallTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);  // else the connection's window grows to as much as there is
    stub_ = v1::EventStoreService::NewStub(grpc::CreateCustomChannel(absl::StrFormat("127.0.0.1:%d", port),
                                                                     grpc::InsecureChannelCredentials(), arguments));
  }
  void TearDown() override { server_->Shutdown(); }

  void Serve(std::size_t responses, std::size_t bytes, absl::Status end = absl::OkStatus()) {
    service_.source = std::make_unique<NumberedSource>(made_, responses, bytes, std::move(end));
  }
  std::unique_ptr<grpc::ClientReader<v1::ReadAllResponse>> Read() { return stub_->ReadAll(&context_, {}); }

  static std::vector<std::string> AllOf(grpc::ClientReader<v1::ReadAllResponse>& reader) {
    std::vector<std::string> checkpoints;
    v1::ReadAllResponse response;
    while (reader.Read(&response)) checkpoints.push_back(response.checkpoint());
    return checkpoints;
  }

  ReadingService service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::EventStoreService::Stub> stub_;
  grpc::ClientContext context_;
  Made made_;
};

TEST_F(ReadCallTest, SendsAllInOrder) {
  Serve(3, 10);
  const auto reader = Read();
  EXPECT_THAT(AllOf(*reader), ElementsAre("1", "2", "3"));
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(ReadCallTest, SendsWhatWasMadeBeforeTheSourceFailed) {
  Serve(5, 100'000, absl::DataLossError("damaged"));
  const auto reader = Read();
  made_.Await(5);  // before anything has been read
  EXPECT_THAT(AllOf(*reader), ElementsAre("1", "2", "3", "4", "5"));
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DATA_LOSS);
  EXPECT_EQ(status.error_message(), "damaged");
}

TEST_F(ReadCallTest, NoSourceIsAnError) {
  service_.source = absl::InvalidArgumentError("no");
  const auto reader = Read();
  EXPECT_THAT(AllOf(*reader), SizeIs(0));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ReadCallTest, MakesLittleMoreThanItsCallerReads) {
  constexpr std::size_t kBytes = 400'000;
  constexpr std::size_t kResponses = 1000;
  Serve(kResponses, kBytes);
  const auto reader = Read();
  std::size_t most_ahead = 0;
  v1::ReadAllResponse response;
  for (std::size_t read = 0; reader->Read(&response); ++read) {
    MutexLock lock(&made_.mutex);
    most_ahead = std::max(most_ahead, made_.responses - read);
  }
  // Besides what waits, one is made, one is on its way, and one or two are in the connection's window.
  EXPECT_LE(most_ahead * kBytes, 4 * kBytesMadeAhead);
  EXPECT_EQ(response.checkpoint(), std::to_string(kResponses));
}

TEST_F(ReadCallTest, LeavesItsSourceWhenTheCallerHasGone) {
  Serve(1'000'000'000, 1000);
  const auto reader = Read();
  made_.Await(3);
  context_.TryCancel();
  EXPECT_TRUE(made_.gone.WaitForNotificationWithTimeout(kLong));
}

TEST_F(ReadCallTest, IsCancelledAtAShutdownIfItsCallerDoesNotRead) {
  Serve(1'000'000'000, 400'000);
  const auto reader = Read();
  v1::ReadAllResponse response;
  ASSERT_TRUE(reader->Read(&response));
  const absl::Time end = absl::Now() + kLong;
  do {  // the first times there may still be room in the connection
    ASSERT_LT(absl::Now(), end);
    service_.calls.EndAll();
    service_.calls.CancelAll();
  } while (!made_.gone.WaitForNotificationWithTimeout(absl::Milliseconds(10)));
  AllOf(*reader);  // what had come to it by then
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

// What was not on its way when the server began to stop has not stalled since then.
TEST_F(ReadCallTest, GoesOnAtAShutdownThatFoundItWaitingForItsSource) {
  constexpr std::size_t kResponses = 20;
  Notification go_on;
  service_.source = std::make_unique<NumberedSource>(made_, kResponses, 400'000, absl::OkStatus(), &go_on);
  const auto reader = Read();
  made_.asked.WaitForNotification();
  service_.calls.EndAll();
  go_on.Notify();
  made_.Await(4);  // more than the connection holds are made, and nothing is read
  service_.calls.CancelAll();
  EXPECT_THAT(AllOf(*reader), SizeIs(kResponses));
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(ReadCallTest, GoesOnAtAShutdownWhileItsCallerReads) {
  constexpr std::size_t kResponses = 60;
  Serve(kResponses, 400'000);
  const auto reader = Read();
  v1::ReadAllResponse response;
  ASSERT_TRUE(reader->Read(&response));
  service_.calls.EndAll();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(reader->Read(&response));  // more than are made ahead
  service_.calls.CancelAll();
  EXPECT_THAT(AllOf(*reader), SizeIs(kResponses - 21));
  EXPECT_TRUE(reader->Finish().ok());
}

}  // namespace
}  // namespace everfold
