// The events of an application as a client gets them, from a service whose every response the test decides.
#include "everfold/rpc/remote_feed.h"

#include <gmock/gmock.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/rpc/event_message.h"
#include "everfold/v1/event_store.grpc.pb.h"
#include "everfold/v1/parked_event_dropped.pb.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kEpoch[] = "0123456789abcdef";

Checkpoint At(std::vector<Offset> offsets) { return {.epoch = {kEpoch}, .offsets = std::move(offsets)}; }

v1::RecordedEvent EventAt(std::uint32_t partition, std::uint64_t offset) {
  v1::RecordedEvent event;
  event.set_stream(absl::StrFormat("account/a%d", partition));
  event.set_tenant("t");
  event.set_version(offset);
  event.set_sequence(10 * offset + partition);
  event.set_partition(partition);
  event.set_offset(offset);
  event.set_type("ledger.v1.Credited");
  event.set_payload("payload");
  event.add_tags("tag");
  event.mutable_event_time()->set_seconds(100);
  event.mutable_recorded_at()->set_seconds(200);
  event.mutable_metadata()->set_actor("somebody");
  (*event.mutable_metadata()->mutable_headers())["h"] = "v";
  event.set_request_id("id");
  event.set_request_type("Request");
  return event;
}

v1::SubscribeResponse ResponseWith(const std::vector<v1::RecordedEvent>& events, const Checkpoint& behind,
                                   bool caught_up) {
  v1::SubscribeResponse response;
  for (const v1::RecordedEvent& event : events) *response.add_events() = event;
  response.set_checkpoint(EncodeCheckpointBytes(behind));
  response.set_caught_up(caught_up);
  return response;
}

// One call after the other. Threading: what is set is set before a call.
class ScriptedStore final : public v1::EventStoreService::Service {
 public:
  struct Script {
    std::vector<v1::SubscribeResponse> responses;
    grpc::Status end = {};  // OK: it stays open, as an application leaves it, until the caller has gone
  };

  grpc::Status Subscribe(grpc::ServerContext* context,
                         grpc::ServerReaderWriter<v1::SubscribeResponse, v1::SubscribeRequest>* stream) override {
    v1::SubscribeRequest request;
    if (!stream->Read(&request)) return {grpc::StatusCode::CANCELLED, ""};
    starts.push_back(request.start());
    const Script script = scripts.at(starts.size() - 1);
    for (const v1::SubscribeResponse& response : script.responses) stream->Write(response);
    if (!script.end.ok()) return script.end;
    while (stream->Read(&request)) {
    }
    return context->IsCancelled() ? grpc::Status::CANCELLED : grpc::Status::OK;
  }

  grpc::Status GetHead(grpc::ServerContext*, const v1::GetHeadRequest*, v1::GetHeadResponse* response) override {
    response->set_checkpoint(EncodeCheckpointBytes(At({Offset(3), Offset(4)})));
    return grpc::Status::OK;
  }

  grpc::Status ReadStream(grpc::ServerContext*, const v1::ReadStreamRequest* request,
                          grpc::ServerWriter<v1::ReadStreamResponse>* writer) override {
    stream_read = request->stream();
    v1::ReadStreamResponse response;
    for (const v1::RecordedEvent& event : stream_events) *response.add_events() = event;
    writer->Write(response);
    return grpc::Status::OK;
  }

  std::vector<Script> scripts;
  std::vector<v1::SubscribeRequest::Start> starts;
  std::vector<v1::RecordedEvent> stream_events;
  std::string stream_read;
};

class RemoteFeedTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&store_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    address_ = absl::StrFormat("127.0.0.1:%d", port);
    auto feed = RemoteFeed::Open(address_);
    ASSERT_TRUE(feed.ok()) << feed.status();
    feed_ = *std::move(feed);
  }
  void TearDown() override {
    subscription_.reset();
    server_->Shutdown();
  }

  void Subscribe(SubscriptionOptions options = {}) {
    auto subscription = feed_->Subscribe(At({Offset(0), Offset(0)}), std::move(options));
    ASSERT_TRUE(subscription.ok()) << subscription.status();
    subscription_ = *std::move(subscription);
  }
  // As "partition:offset".
  absl::StatusOr<PullResult> Pull(std::size_t max_events) {
    return subscription_->Pull(max_events, [this](const RecordedEvent& event) {
      const std::string place =
          absl::StrFormat("%d:%d", event.position.partition.value(), event.position.offset.value());
      if (place == refused_) return absl::FailedPreconditionError("refused");
      seen_.push_back(place);
      return absl::OkStatus();
    });
  }
  std::vector<std::string> TakeSeen() { return std::exchange(seen_, {}); }

  ScriptedStore store_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
  std::unique_ptr<RemoteFeed> feed_;
  std::unique_ptr<Subscription> subscription_;
  std::string refused_;
  std::vector<std::string> seen_;
};

TEST_F(RemoteFeedTest, TellsTheHead) { EXPECT_EQ(feed_->Head().value(), At({Offset(3), Offset(4)})); }

TEST_F(RemoteFeedTest, HandsOutResponsesInParts) {
  store_.scripts = {
      {.responses = {ResponseWith({EventAt(0, 1), EventAt(1, 2), EventAt(0, 3)}, At({Offset(5), Offset(2)}), false),
                     ResponseWith({EventAt(1, 4)}, At({Offset(6), Offset(7)}), true)}}};
  Subscribe();
  EXPECT_EQ(Pull(2).value(), (PullResult{.events = 2, .caught_up = false, .moved = true}));
  EXPECT_THAT(TakeSeen(), ElementsAre("0:1", "1:2"));
  EXPECT_EQ(subscription_->checkpoint(), At({Offset(1), Offset(2)})) << "behind what was handed out";
  EXPECT_EQ(Pull(100).value(), (PullResult{.events = 2, .caught_up = true, .moved = true}));
  EXPECT_THAT(TakeSeen(), ElementsAre("0:3", "1:4"));
  EXPECT_EQ(subscription_->checkpoint(), At({Offset(6), Offset(7)})) << "over what is not wanted, too";
  EXPECT_THAT(store_.starts, SizeIs(1));
}

// There it stays silent until something comes; a pull asks, and comes back.
TEST_F(RemoteFeedTest, AsksAgainWhenAllWasSent) {
  store_.scripts = {{.responses = {ResponseWith({EventAt(0, 1)}, At({Offset(1), Offset(0)}), true)}},
                    {.responses = {ResponseWith({}, At({Offset(1), Offset(0)}), true)}}};
  Subscribe();
  ASSERT_TRUE(Pull(10).ok());
  EXPECT_EQ(Pull(10).value(), (PullResult{.events = 0, .caught_up = true, .moved = false}));
  ASSERT_THAT(store_.starts, SizeIs(2));
  EXPECT_EQ(store_.starts[1].checkpoint(), EncodeCheckpointBytes(At({Offset(1), Offset(0)})));
}

TEST_F(RemoteFeedTest, BeginsAgainWithTheEventThatWasRefused) {
  store_.scripts = {{.responses = {ResponseWith({EventAt(0, 1), EventAt(0, 2)}, At({Offset(2), Offset(0)}), true)}}};
  Subscribe();
  refused_ = "0:2";
  EXPECT_EQ(Pull(10).status(), absl::FailedPreconditionError("refused"));
  EXPECT_EQ(subscription_->checkpoint(), At({Offset(1), Offset(0)}));
  refused_ = "";
  EXPECT_EQ(Pull(10).value(), (PullResult{.events = 1, .caught_up = true, .moved = true}));
  EXPECT_THAT(TakeSeen(), ElementsAre("0:1", "0:2"));
}

TEST_F(RemoteFeedTest, AsksForWhatIsSelected) {
  store_.scripts = {{.responses = {ResponseWith({}, At({Offset(0), Offset(0)}), true)}}};
  SubscriptionOptions options{.selection = SelectionOfTypes({"A", "B"}), .partition = PartitionId(1)};
  options.selection.tenant = "t";
  Subscribe(options);
  ASSERT_TRUE(Pull(7).ok());
  ASSERT_THAT(store_.starts, SizeIs(1));
  EXPECT_EQ(EventSelectionOf(store_.starts[0].selection()), options.selection);
  EXPECT_EQ(PartitionOf(store_.starts[0].selection()), PartitionId(1));
  EXPECT_EQ(store_.starts[0].max_events(), 7u);
}

TEST_F(RemoteFeedTest, AnEventIsWhatItIsInTheStore) {
  store_.scripts = {{.responses = {ResponseWith({EventAt(1, 4)}, At({Offset(0), Offset(4)}), true)}}};
  Subscribe();
  const auto pulled = subscription_->Pull(1, [](const RecordedEvent& event) {
    EXPECT_EQ(event.stream.stream, (StreamId{.tenant = "t", .aggregate = "account", .id = "a1"}));
    EXPECT_EQ(event.version, Version(4));
    EXPECT_EQ(event.position, (Position{PartitionId(1), Offset(4)}));
    EXPECT_EQ(event.commit.sequence, Sequence(41));
    EXPECT_EQ(event.commit.recorded_at, absl::FromUnixSeconds(200));
    EXPECT_EQ(event.commit.metadata, (Metadata{.correlation_id = "",
                                               .causation_id = "",
                                               .actor = "somebody",
                                               .traceparent = "",
                                               .headers = {{"h", "v"}}}));
    EXPECT_EQ(event.commit.command.id, "id");
    EXPECT_EQ(event.commit.command.type, "Request");
    EXPECT_EQ(event.event.event_time, absl::FromUnixSeconds(100));
    EXPECT_THAT(std::vector<std::string>(event.event.tags.begin(), event.event.tags.end()), ElementsAre("tag"));
    EXPECT_EQ(event.event.type, "ledger.v1.Credited");
    EXPECT_EQ(event.event.payload, "payload");
    return absl::OkStatus();
  });
  EXPECT_TRUE(pulled.ok()) << pulled.status();
}

TEST_F(RemoteFeedTest, TellsWhatTheApplicationSays) {
  store_.scripts = {{.responses = {}, .end = {grpc::StatusCode::FAILED_PRECONDITION, "no more"}}};
  Subscribe();
  const absl::Status status = Pull(1).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), "the application at " + address_ + " says: no more");
}

TEST_F(RemoteFeedTest, RefusesWhatNoApplicationSends) {
  v1::RecordedEvent nameless = EventAt(0, 1);
  nameless.set_stream("account");
  store_.scripts = {
      {.responses = {ResponseWith({EventAt(2, 1)}, At({Offset(0), Offset(0)}), true)}},
      {.responses = {ResponseWith({nameless}, At({Offset(0), Offset(0)}), true)}},
      {.responses = {ResponseWith({}, {.epoch = {"another epoch"}, .offsets = {Offset(0), Offset(0)}}, true)}}};
  Subscribe();
  EXPECT_THAT(std::string(Pull(1).status().message()), HasSubstr("an event of partition 2; there are 2"));
  Subscribe();
  EXPECT_EQ(Pull(1).status().code(), absl::StatusCode::kDataLoss);
  Subscribe();
  EXPECT_EQ(ReasonOf(Pull(1).status()), reason::kOtherHistory);
  EXPECT_THAT(TakeSeen(), IsEmpty());
}

TEST_F(RemoteFeedTest, RefusesWhatItCannotAskFor) {
  const Checkpoint from = At({Offset(0), Offset(0)});
  for (const SubscriptionOptions& options :
       {SubscriptionOptions{.upto = from}, SubscriptionOptions{.upto_sequence = Sequence(1)}}) {
    EXPECT_EQ(feed_->Subscribe(from, options).status().code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(feed_->Subscribe({}, {}).status().code(), absl::StatusCode::kInvalidArgument);
  Subscribe();
  EXPECT_EQ(Pull(0).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(RemoteFeed::Open("nowhere").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(RemoteFeedTest, TellsWhichEventsAreDropped) {
  v1::ParkedEventDropped drop;
  drop.set_stream("account/a");
  drop.set_tenant("t");
  drop.set_version(7);
  v1::RecordedEvent recorded = EventAt(0, 1);
  recorded.set_type(drop.GetDescriptor()->full_name());
  recorded.set_payload(drop.SerializeAsString());
  store_.stream_events = {recorded};
  const absl::StatusOr<DroppedEvents> dropped = feed_->DroppedFrom("balances");
  ASSERT_TRUE(dropped.ok()) << dropped.status();
  EXPECT_EQ(store_.stream_read, "$ops/balances");
  EXPECT_THAT(*dropped, ElementsAre(EventName{{.tenant = "t", .aggregate = "account", .id = "a"}, Version(7)}));
  store_.stream_events = {EventAt(0, 1)};
  EXPECT_EQ(feed_->DroppedFrom("balances").status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(RemoteFeedTest, SaysThatNobodyIsThere) {
  server_->Shutdown();
  const absl::Status status = feed_->Head().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr(address_ + " could not be reached"));
}

}  // namespace
}  // namespace everfold
