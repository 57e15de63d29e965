#include "tests/bench/store_target.h"

#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/event/event_type.h"
#include "google/rpc/error_details.pb.h"

namespace everfold::bench {
namespace {

// nullopt unless it is a conflict of versions.
std::optional<Version> ActualVersion(const absl::Status& status) {
  google::rpc::ErrorInfo info;
  std::uint64_t actual = 0;
  if (!absl::IsAborted(status) || !FindDetail(status, info) || info.reason() != reason::kVersionConflict ||
      !absl::SimpleAtoi(info.metadata().at("actual_version"), &actual)) {
    return std::nullopt;
  }
  return Version(actual);
}

std::string TagOf(std::uint32_t stream) { return absl::StrFormat("account:%07d", stream); }

}  // namespace

EventType EventTypeOf(std::size_t number) {
  return {absl::StrFormat("bench.v1.Measured%02d", number), std::string(32, static_cast<char>('A' + number))};
}

StoreTarget::StoreTarget(EventStore& store, Streams& streams, const Payloads& payloads, StoreWork work)
    : store_(store), streams_(streams), payloads_(payloads), work_(work), slots_(kMostCallers) {
  for (std::size_t i = 0; i < kEventTypes; ++i) types_.push_back(EventTypeOf(i));
  SystemRandom random;
  for (Slot& slot : slots_) slot.noise = Noise(random.Next());
}

void StoreTarget::Append(std::size_t number, Caller& caller) {
  Slot& slot = slots_[number];
  slot.caller = &caller;
  slot.stream = static_cast<std::uint32_t>(slot.noise.Below(work_.streams));
  Start(slot);
}

void StoreTarget::Start(Slot& slot) {
  store_.Append(RequestOf(slot), [this, &slot](const absl::StatusOr<AppendResult>& result) { Ended(slot, result); });
}

void StoreTarget::Ended(Slot& slot, const absl::StatusOr<AppendResult>& result) {
  if (result.ok()) {
    streams_.Learn(slot.stream, result->streams.front().version);
    return slot.caller->OnDurable(absl::OkStatus());
  }
  if (ReasonOf(result.status()) == reason::kConditionFailed) {
    conflicts_.fetch_add(1, std::memory_order_relaxed);
    return Start(slot);
  }
  const std::optional<Version> actual = ActualVersion(result.status());
  if (!actual.has_value()) return slot.caller->OnDurable(result.status());
  conflicts_.fetch_add(1, std::memory_order_relaxed);
  streams_.Learn(slot.stream, *actual);
  Start(slot);
}

AppendRequest StoreTarget::RequestOf(Slot& slot) const {
  AppendRequest request;
  if (work_.command_ids) request.command = CommandOf(slot);
  if (work_.condition) {
    request.condition = AppendCondition{{{{.types = {}, .tags = {TagOf(slot.stream)}}}}, store_.DurableSequence()};
  }
  request.streams.reserve(work_.streams_a_commit);
  request.streams.push_back(StreamOf(slot, slot.stream));
  if (work_.exact_versions) {
    request.streams[0].expectation = StreamExpectation::Exact(streams_.Known(slot.stream));
  }
  for (std::size_t i = 1; i < work_.streams_a_commit; ++i) {
    request.streams.push_back(StreamOf(slot, static_cast<std::uint32_t>((slot.stream + i * 7919) % Streams::kStreams)));
  }
  return request;
}

StreamAppend StoreTarget::StreamOf(Slot& slot, std::uint32_t stream) const {
  StreamAppend append;
  append.stream = Streams::NameOf(stream);
  append.events.reserve(work_.events_a_commit);
  for (std::size_t i = 0; i < work_.events_a_commit; ++i) {
    append.events.push_back(EventOf(slot));
    if (work_.tags) append.events.back().tags.push_back(TagOf(stream));
  }
  return append;
}

NewEvent StoreTarget::EventOf(Slot& slot) const {
  const EventType& type = types_[slot.noise.Below(kEventTypes)];
  NewEvent event;
  event.type = type.name;
  event.fingerprint = type.fingerprint;
  event.payload.resize(payloads_.bytes());
  payloads_.Fill(slot.noise, event.payload.data());
  return event;
}

CommandId StoreTarget::CommandOf(Slot& slot) const {
  char bytes[16];
  slot.noise.Fill(bytes, sizeof(bytes));
  const std::string raw(bytes, sizeof(bytes));
  return {.type = "bench.v1.Measure",
          .id = absl::WebSafeBase64Escape(absl::string_view(raw)),
          .fingerprint = store_.FingerprintOfRequest(raw)};
}

}  // namespace everfold::bench
