#include "everfold/store/missed_events.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/store/boundary_check.h"
#include "everfold/store/positioned_events.h"
#include "everfold/store/stream_reader.h"
#include "everfold/v1/missed_events.pb.h"
#include "google/protobuf/util/time_util.h"
#include "google/rpc/error_details.pb.h"

namespace everfold {
namespace {

// What may be missing is limited by the request, and by this: answers are kept until they are sent.
constexpr std::size_t kMaxMissedBytes = 1 << 20;
constexpr std::size_t kMaxReadErrorBytes = 400;

// Ends a visit; nobody is told.
absl::Status Enough() { return absl::OutOfRangeError("enough"); }

// The part of a request that tells what its caller knew.
struct Knowledge {
  struct Stream {
    StreamId id;
    StreamExpectation expectation;
  };
  std::string tenant;
  std::vector<Stream> streams;
  std::optional<AppendCondition> condition;
  std::size_t limit = 0;
};

class MissedReader {
 public:
  MissedReader(const Knowledge& known, const PartitionLog& log, const StoreIndex& index)
      : known_(known), log_(log), index_(index), events_(log, index.types()) {}

  // Nothing for other errors than conflicts. What could not be read is not there, and the detail says so.
  std::optional<v1::MissedEvents> Read(const absl::Status& conflict) {
    google::rpc::ErrorInfo info;
    if (!FindDetail(conflict, info)) return std::nullopt;
    absl::Status read;
    if (info.reason() == reason::kVersionConflict) {
      read = ReadStream(info.metadata().at("stream"));
    } else if (info.reason() == reason::kConditionFailed) {
      read = ReadExcluded();
    } else {
      return std::nullopt;
    }
    if (!read.ok()) TellWhy(read);
    return std::move(missed_);
  }

 private:
  absl::Status ReadStream(const std::string& name) {
    const auto stream = std::find_if(known_.streams.begin(), known_.streams.end(),
                                     [&name](const Knowledge::Stream& it) { return it.id.ToString() == name; });
    if (stream == known_.streams.end() || !stream->expectation.version().has_value()) return absl::OkStatus();
    const absl::Status status =
        ReadStreamEvents(log_, index_, stream->id, {.after = *stream->expectation.version()},
                         [this](const RecordedEvent& event) { return Add(event) ? absl::OkStatus() : Enough(); });
    // Enough, or the stream has fewer events than the caller expected.
    return absl::IsOutOfRange(status) ? absl::OkStatus() : status;
  }

  absl::Status ReadExcluded() {
    const auto& [query, after] = *known_.condition;
    EVERFOLD_ASSIGN_OR_RETURN(const FoundMatches found, FindMatches(index_, known_.tenant, query, after, known_.limit));
    missed_.set_more(found.more);
    for (const TaggedEvent& event : found.events) {
      EVERFOLD_RETURN_IF_ERROR(AddAt(event.position));
      if (full()) break;
    }
    return absl::OkStatus();
  }

  // Nothing of an event that was erased meanwhile.
  absl::Status AddAt(const Position& at) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool is_there, events_.MoveTo(at));
    if (is_there) Add(events_.event());
    return absl::OkStatus();
  }

  bool full() const { return missed_.events_size() >= static_cast<int>(known_.limit) || bytes_ >= kMaxMissedBytes; }

  void TellWhy(const absl::Status& read) {
    // Escaped: a text that is cut, or has other bytes than UTF-8, would not go over the wire.
    missed_.set_read_error(absl::CEscape(read.message().substr(0, kMaxReadErrorBytes)));
    missed_.set_more(true);
  }

  // False if it did not fit.
  bool Add(const RecordedEvent& event) {
    bytes_ += event.event.payload.size();
    const bool fits = missed_.events_size() < static_cast<int>(known_.limit) && bytes_ <= kMaxMissedBytes;
    if (!fits) {
      missed_.set_more(true);
      return false;
    }
    v1::MissedEvents::Event& added = *missed_.add_events();
    added.set_stream(event.stream.stream.ToString());
    added.set_version(event.version.value());
    added.set_sequence(event.commit.sequence.value());
    added.set_partition(event.position.partition.value());
    added.set_offset(event.position.offset.value());
    added.set_type(event.event.type);
    using google::protobuf::util::TimeUtil;
    *added.mutable_recorded_at() = TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(event.commit.recorded_at));
    for (const std::string& tag : event.event.tags) added.add_tags(tag);
    added.set_payload(event.event.payload.data(), event.event.payload.size());
    return true;
  }

  const Knowledge& known_;
  const PartitionLog& log_;
  const StoreIndex& index_;
  PositionedEvents events_;
  v1::MissedEvents missed_;
  std::size_t bytes_ = 0;
};

}  // namespace

EventStore::AppendDone TellingMissedEvents(const AppendRequest& request, const StoredNames& names,
                                           const PartitionLog& log, std::shared_ptr<const StoreIndex> index,
                                           EventStore::AppendDone done) {
  if (request.missed_events == 0) return done;
  Knowledge known{
      .tenant = request.tenant, .streams = {}, .condition = request.condition, .limit = request.missed_events};
  if (known.condition.has_value()) names.AddTo(known.condition->fail_if_events_match);
  for (const StreamAppend& stream : request.streams) known.streams.push_back({stream.stream, stream.expectation});
  return [known = std::move(known), &log, index = std::move(index),
          done = std::move(done)](absl::StatusOr<AppendResult> result) mutable {
    if (result.ok()) return done(std::move(result));
    absl::Status status = result.status();
    const std::optional<v1::MissedEvents> missed = MissedReader(known, log, *index).Read(status);
    if (missed.has_value()) AddDetail(status, *missed);
    done(std::move(status));
  };
}

}  // namespace everfold
