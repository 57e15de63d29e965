#include "everfold/rpc/event_bytes.h"

#include <grpcpp/support/slice.h>

#include <cstdint>
#include <utility>

#include "absl/time/time.h"
#include "everfold/rpc/wire_fields.h"
#include "everfold/v1/event_store.pb.h"

namespace everfold {
namespace {

constexpr int kEventsField = 1;
static_assert(v1::ReadStreamResponse::kEventsFieldNumber == kEventsField);
static_assert(v1::ReadAllResponse::kEventsFieldNumber == kEventsField);
static_assert(v1::SubscribeResponse::kEventsFieldNumber == kEventsField);

// How much larger than the one before a response may become before it has to grow, in bytes.
constexpr std::size_t kLittleMore = 4096;

v1::PayloadEncoding EncodingOf(PayloadCodec codec) {
  switch (codec) {
    case PayloadCodec::kPlain:
      return v1::PAYLOAD_ENCODING_UNSPECIFIED;
    case PayloadCodec::kZstd:
      return v1::PAYLOAD_ENCODING_ZSTD;
    case PayloadCodec::kEncrypted:
      return v1::PAYLOAD_ENCODING_ENCRYPTED;
  }
  return v1::PAYLOAD_ENCODING_UNSPECIFIED;
}

// A google.protobuf.Timestamp, in whole microseconds.
template <class To>
void PutTime(int field, absl::Time time, To& to) {
  constexpr std::int64_t kMicrosASecond = 1'000'000;
  const std::int64_t micros = absl::ToUnixMicros(time);
  std::int64_t seconds = micros / kMicrosASecond;
  std::int64_t rest = micros % kMicrosASecond;
  if (rest < 0) {
    --seconds;
    rest += kMicrosASecond;
  }
  to.Message(field, [&](auto& inner) {
    inner.Number(google::protobuf::Timestamp::kSecondsFieldNumber, static_cast<std::uint64_t>(seconds));
    inner.Number(google::protobuf::Timestamp::kNanosFieldNumber, static_cast<std::uint64_t>(rest * 1000));
  });
}

template <class To>
void PutMetadata(const Metadata& metadata, To& to) {
  using M = v1::EventMetadata;
  constexpr int kKey = 1;  // of a map's entry
  constexpr int kValue = 2;
  if (metadata == Metadata()) return;
  to.Message(v1::RecordedEvent::kMetadataFieldNumber, [&](auto& inner) {
    inner.Bytes(M::kCorrelationIdFieldNumber, metadata.correlation_id);
    inner.Bytes(M::kCausationIdFieldNumber, metadata.causation_id);
    inner.Bytes(M::kActorFieldNumber, metadata.actor);
    inner.Bytes(M::kTraceparentFieldNumber, metadata.traceparent);
    for (const auto& [key, value] : metadata.headers) {
      inner.Message(M::kHeadersFieldNumber, [&, &key = key, &value = value](auto& entry) {
        entry.Element(kKey, key);
        entry.Element(kValue, value);
      });
    }
  });
}

// In the order of the fields' numbers, as Protobuf serializes.
template <class To>
void Put(const RecordedEvent& event, To& to) {
  using E = v1::RecordedEvent;
  const StreamId& stream = event.stream.stream;
  to.Joined(E::kStreamFieldNumber, stream.aggregate, '/', stream.id);
  to.Bytes(E::kTenantFieldNumber, stream.tenant);
  to.Number(E::kVersionFieldNumber, event.version.value());
  to.Number(E::kSequenceFieldNumber, event.commit.sequence.value());
  to.Number(E::kPartitionFieldNumber, event.position.partition.value());
  to.Number(E::kOffsetFieldNumber, event.position.offset.value());
  to.Bytes(E::kTypeFieldNumber, event.event.type);
  to.Bytes(E::kPayloadFieldNumber, event.event.payload);
  for (const std::string& tag : event.event.tags) to.Element(E::kTagsFieldNumber, tag);
  PutTime(E::kEventTimeFieldNumber, event.event.event_time, to);
  PutTime(E::kRecordedAtFieldNumber, event.commit.recorded_at, to);
  to.Bytes(E::kFingerprintFieldNumber, event.event.fingerprint);
  to.Number(E::kEncodingFieldNumber, static_cast<std::uint64_t>(EncodingOf(event.event.codec)));
  PutMetadata(event.commit.metadata, to);
  if (event.commit.command.empty()) return;
  to.Bytes(E::kRequestIdFieldNumber, event.commit.command.id);
  to.Bytes(E::kRequestTypeFieldNumber, event.commit.command.type);
}

}  // namespace

void EventBytes::Add(const RecordedEvent& event) {
  if (bytes_.empty()) bytes_.reserve(released_ + kLittleMore);
  FieldSizes event_size;
  Put(event, event_size);
  FieldSizes framed;
  framed.Framed(kEventsField, event_size.size());
  const std::size_t before = bytes_.size();
  bytes_.resize(before + framed.size());
  FieldWriter writer(bytes_.data() + before);
  writer.Frame(kEventsField, event_size.size());
  Put(event, writer);
  ++events_;
}

grpc::ByteBuffer EventBytes::Release() {
  released_ = bytes_.size();
  events_ = 0;
  if (bytes_.capacity() / 2 > bytes_.size() + kLittleMore) bytes_.shrink_to_fit();  // it may be long in a queue
  auto* const held = new std::string(std::exchange(bytes_, {}));
  const grpc::Slice slice(
      held->data(), held->size(), [](void* string) { delete static_cast<std::string*>(string); }, held);
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace everfold
