// What a reader is sent of a log that is damaged further on: what comes before the damage, then what is wrong.
#include "everfold/rpc/event_sources.h"

#include <gmock/gmock.h>
#include <grpcpp/support/slice.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "everfold/base/random.h"
#include "everfold/base/status.h"
#include "everfold/log/memory/memory_log.h"
#include "everfold/runtime/manual_executor.h"
#include "tests/unit/rpc/damaged_log.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class EventSourcesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto store = EventStore::Open({}, log_, executor_, executor_.clock(), random_);
    ASSERT_EQ(store.status(), absl::OkStatus());
    store_ = *std::move(store);
    for (const char* const payload : {"1", "2", "3", "4", "5"}) Append(payload);
    log_.upto = Offset(3);
  }
  void TearDown() override {
    store_->Close([] {});
    executor_.RunUntilIdle();
  }

  // A chunk of its own.
  void Append(const std::string& payload) {
    AppendRequest request;
    request.streams.push_back({.stream = {"", "wallet", "w1"}, .events = {}});
    request.streams[0].events.push_back(
        {.type = "wallet.v1.Deposited", .fingerprint = {}, .payload = payload, .event_time = {}, .tags = {}});
    absl::Status appended = absl::UnknownError("not answered");
    store_->Append(std::move(request), [&](const absl::StatusOr<AppendResult>& it) { appended = it.status(); });
    executor_.RunUntilIdle();
    ASSERT_EQ(appended, absl::OkStatus());
  }

  // The payloads of the next response; none at the end.
  template <class Response>
  static absl::StatusOr<std::vector<std::string>> NextOf(ResponseSource& source) {
    EVERFOLD_ASSIGN_OR_RETURN(const std::optional<grpc::ByteBuffer> bytes, source.Next());
    if (!bytes.has_value()) return std::vector<std::string>();
    grpc::Slice slice;
    EXPECT_TRUE(bytes->DumpToSingleSlice(&slice).ok());
    Response response;
    EXPECT_TRUE(response.ParseFromArray(slice.begin(), static_cast<int>(slice.size())));
    std::vector<std::string> payloads;
    for (const v1::RecordedEvent& event : response.events()) payloads.push_back(event.payload());
    return payloads;
  }

  ManualExecutor executor_{7};
  SeededRandom random_{7};
  MemoryLog memory_{std::make_shared<MemoryLogStorage>(LogIdentity{{"0123456789abcdef"}, 1, std::string(32, 'k')}),
                    executor_};
  DamagedLog log_{memory_};
  std::unique_ptr<EventStore> store_;
};

TEST_F(EventSourcesTest, AStreamIsReadUpToTheDamage) {
  v1::ReadStreamRequest request;
  request.set_stream("wallet/w1");
  const auto source = SourceOf(*store_, request);
  ASSERT_EQ(source.status(), absl::OkStatus());
  EXPECT_THAT(*NextOf<v1::ReadStreamResponse>(**source), ElementsAre("1", "2", "3"));
  EXPECT_EQ(NextOf<v1::ReadStreamResponse>(**source).status(), absl::DataLossError("damaged"));
  EXPECT_EQ(NextOf<v1::ReadStreamResponse>(**source).status(), absl::DataLossError("damaged"));
}

TEST_F(EventSourcesTest, AllIsReadUpToTheDamage) {
  const auto source = SourceOf(*store_, executor_, v1::ReadAllRequest());
  ASSERT_EQ(source.status(), absl::OkStatus());
  EXPECT_THAT(*NextOf<v1::ReadAllResponse>(**source), ElementsAre("1", "2", "3"));
  EXPECT_EQ(NextOf<v1::ReadAllResponse>(**source).status(), absl::DataLossError("damaged"));
  EXPECT_EQ(NextOf<v1::ReadAllResponse>(**source).status(), absl::DataLossError("damaged"));
}

TEST_F(EventSourcesTest, WhatIsWholeIsReadToItsEnd) {
  log_.upto = Offset(5);
  v1::ReadStreamRequest request;
  request.set_stream("wallet/w1");
  const auto source = SourceOf(*store_, request);
  EXPECT_THAT(*NextOf<v1::ReadStreamResponse>(**source), ElementsAre("1", "2", "3", "4", "5"));
  EXPECT_THAT(*NextOf<v1::ReadStreamResponse>(**source), IsEmpty());
}

}  // namespace
}  // namespace everfold
