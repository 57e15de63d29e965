// Events as bytes, beside what Protobuf makes of messages with the same fields.
#include "everfold/rpc/event_bytes.h"

#include <gmock/gmock.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/time_util.h>
#include <grpcpp/support/slice.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "everfold/v1/event_store.pb.h"

namespace everfold {
namespace {

using ::google::protobuf::util::TimeUtil;

// What a RecordedEvent refers to.
struct Owned {
  RecordedEvent event() const {
    return {.commit = {sequence, recorded_at, command, metadata},
            .stream = {stream, version},
            .event = {type, fingerprint, event_time, tags, codec, payload},
            .version = version,
            .position = {partition, offset}};
  }

  StreamId stream{.tenant = "", .aggregate = "account", .id = "a1"};
  Version version{1};
  Sequence sequence{1};
  PartitionId partition{0};
  Offset offset{1};
  std::string type = "ledger.v1.Credited";
  std::string payload;
  std::vector<std::string> tags;
  absl::Time event_time = absl::UnixEpoch();
  absl::Time recorded_at = absl::UnixEpoch();
  std::string fingerprint;
  PayloadCodec codec = PayloadCodec::kPlain;
  Metadata metadata;
  CommandId command;
};

v1::RecordedEvent MessageOf(const Owned& from) {
  v1::RecordedEvent to;
  to.set_stream(from.stream.aggregate + "/" + from.stream.id);
  to.set_tenant(from.stream.tenant);
  to.set_version(from.version.value());
  to.set_sequence(from.sequence.value());
  to.set_partition(from.partition.value());
  to.set_offset(from.offset.value());
  to.set_type(from.type);
  to.set_payload(from.payload);
  for (const std::string& tag : from.tags) to.add_tags(tag);
  *to.mutable_event_time() = TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(from.event_time));
  *to.mutable_recorded_at() = TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(from.recorded_at));
  to.set_fingerprint(from.fingerprint);
  if (from.codec == PayloadCodec::kZstd) to.set_encoding(v1::PAYLOAD_ENCODING_ZSTD);
  if (from.codec == PayloadCodec::kEncrypted) to.set_encoding(v1::PAYLOAD_ENCODING_ENCRYPTED);
  if (from.metadata != Metadata()) {
    v1::EventMetadata& metadata = *to.mutable_metadata();
    metadata.set_correlation_id(from.metadata.correlation_id);
    metadata.set_causation_id(from.metadata.causation_id);
    metadata.set_actor(from.metadata.actor);
    metadata.set_traceparent(from.metadata.traceparent);
    for (const auto& [key, value] : from.metadata.headers) (*metadata.mutable_headers())[key] = value;
  }
  to.set_request_id(from.command.id);
  to.set_request_type(from.command.type);
  return to;
}

std::string Serialized(const google::protobuf::MessageLite& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream out(&stream);
  out.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&out);
  out.Trim();
  return bytes;
}

std::string Flat(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  EXPECT_TRUE(buffer.Dump(&slices).ok());
  std::string bytes;
  for (const grpc::Slice& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

void ExpectAsProtobuf(const std::vector<Owned>& events) {
  v1::ReadAllResponse expected;
  EventBytes bytes;
  for (const Owned& event : events) {
    *expected.add_events() = MessageOf(event);
    bytes.Add(event.event());
  }
  EXPECT_EQ(bytes.events(), events.size());
  EXPECT_EQ(Flat(bytes.Release()), Serialized(expected));
}

TEST(EventBytesTest, LeavesOutWhatIsNotThere) { ExpectAsProtobuf({Owned()}); }

TEST(EventBytesTest, HoldsAllThatAnEventHas) {
  Owned all;
  all.stream.tenant = "t";
  all.payload = std::string("pay\0load", 8);
  all.tags = {"card:1", "", "order:2"};
  all.fingerprint = std::string(32, '\xfe');
  all.codec = PayloadCodec::kEncrypted;
  all.metadata = {.correlation_id = "c", .causation_id = "d", .actor = "a", .traceparent = "p", .headers = {}};
  all.metadata.headers = {{"h", "v"}, {"", ""}, {"i", ""}};
  all.command = {.type = "Request", .id = "id", .fingerprint = ""};
  ExpectAsProtobuf({all, Owned(), all});
}

TEST(EventBytesTest, NumbersAndTimesAreOfAnySize) {
  for (const std::int64_t micros : {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, std::int64_t{-1'000'000},
                                    std::int64_t{999'999}, std::int64_t{-62'135'596'800'000'000},
                                    std::int64_t{253'402'300'799'999'999}, std::int64_t{1'700'000'000'123'456}}) {
    Owned event;
    event.event_time = absl::FromUnixMicros(micros);
    event.recorded_at = absl::FromUnixMicros(-micros / 10);
    ExpectAsProtobuf({event});
  }
  for (int bits = 0; bits < 64; ++bits) {
    Owned event;
    event.sequence = Sequence(std::uint64_t{1} << bits);
    event.offset = Offset((std::uint64_t{1} << bits) - 1);
    event.version = Version(std::numeric_limits<std::uint64_t>::max() >> bits);
    event.partition = PartitionId(static_cast<std::uint32_t>((std::uint64_t{1} << bits) >> 32));
    ExpectAsProtobuf({event});
  }
}

TEST(EventBytesTest, LengthsAreOfAnySize) {
  for (const std::size_t bytes : {0, 1, 100, 127, 128, 200, 16'383, 16'384, 1 << 20}) {
    Owned event;
    event.payload = std::string(bytes, 'p');
    event.tags = {std::string(bytes % 200, 't')};
    event.metadata.headers["h"] = std::string(bytes % 1000, 'v');
    ExpectAsProtobuf({event, event});
  }
}

TEST(EventBytesTest, IsAsProtobufForWhateverComes) {
  std::mt19937_64 random(20261130);
  const auto upto = [&](std::uint64_t most) { return random() % (most + 1); };
  const auto text = [&] { return std::string(upto(3) == 0 ? 0 : upto(300), static_cast<char>('a' + upto(25))); };
  for (int round = 0; round < 300; ++round) {
    std::vector<Owned> events(upto(20));
    for (Owned& event : events) {
      event.stream = {.tenant = text(), .aggregate = "a" + text(), .id = "i" + text()};
      event.version = Version(random() >> upto(63));
      event.sequence = Sequence(random() >> upto(63));
      event.partition = PartitionId(static_cast<std::uint32_t>(upto(65'535)));
      event.offset = Offset(random() >> upto(63));
      event.payload = text() + text();
      for (std::uint64_t tags = upto(5); tags > 0; --tags) event.tags.push_back(text());
      event.event_time = absl::FromUnixMicros(static_cast<std::int64_t>(upto(4'000'000'000'000'000)) - 1'000'000'000);
      event.recorded_at = absl::FromUnixMicros(static_cast<std::int64_t>(upto(4'000'000'000'000'000)));
      event.codec = static_cast<PayloadCodec>(upto(2));
      if (upto(1) == 0) event.metadata = {text(), text(), text(), text(), {{text(), text()}, {"b", text()}}};
      if (upto(1) == 0) event.command = {.type = "T" + text(), .id = "I" + text(), .fingerprint = text()};
    }
    ExpectAsProtobuf(events);
  }
}

// A field more is to be written in event_bytes.cc, and to be set by this test.
TEST(EventBytesTest, KnowsAllFields) {
  EXPECT_EQ(v1::RecordedEvent::descriptor()->field_count(), 16);
  EXPECT_EQ(v1::EventMetadata::descriptor()->field_count(), 5);
}

TEST(EventBytesTest, TheRestOfAResponseFollowsItsEvents) {
  Owned event;
  event.payload = "p";
  EventBytes bytes;
  bytes.Add(event.event());
  v1::SubscribeResponse rest;
  rest.set_checkpoint("behind");
  rest.set_caught_up(true);
  bytes.Add(rest);
  v1::SubscribeResponse read;
  ASSERT_TRUE(read.ParseFromString(Flat(bytes.Release())));
  ASSERT_EQ(read.events_size(), 1);
  EXPECT_EQ(read.events(0).payload(), "p");
  EXPECT_EQ(read.checkpoint(), "behind");
  EXPECT_TRUE(read.caught_up());
}

TEST(EventBytesTest, IsEmptyOnceReleased) {
  EventBytes bytes;
  bytes.Add(Owned().event());
  const grpc::ByteBuffer first = bytes.Release();
  EXPECT_EQ(bytes.events(), 0U);
  EXPECT_EQ(bytes.size(), 0U);
  Owned other;
  other.payload = "other";
  bytes.Add(other.event());
  v1::ReadAllResponse read;
  ASSERT_TRUE(read.ParseFromString(Flat(first)));  // what has been released is left as it was
  ASSERT_EQ(read.events_size(), 1);
  EXPECT_EQ(read.events(0).payload(), "");
  EXPECT_EQ(Flat(EventBytes().Release()), "");
}

}  // namespace
}  // namespace everfold
