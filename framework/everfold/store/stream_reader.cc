#include "everfold/store/stream_reader.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/event_decoder.h"
#include "everfold/store/stream_places.h"

namespace everfold {
namespace {

constexpr std::size_t kPlacesAtOnce = 1024;
constexpr std::size_t kPlacesAtOnceBackwards = 256;

absl::Status Malformed(const std::string& what) {
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid, what);
}

absl::Status Validate(const StreamId& stream, const StreamRange& range) {
  EVERFOLD_RETURN_IF_ERROR(ValidateStreamId(stream));
  if (range.limit == 0) return Malformed("a stream is read for 1 event or more, the limit is 0");
  if (range.upto == Version() || range.upto >= range.after) return absl::OkStatus();
  return Malformed(absl::StrFormat("%s cannot be read after version %d up to version %d", stream.ToString(),
                                   range.after.value(), range.upto.value()));
}

class StreamRead {
 public:
  StreamRead(const PartitionLog& log, const StoreIndex& index, const StreamId& stream, const StreamRange& range,
             absl::FunctionRef<absl::Status(const RecordedEvent&)> visit)
      : index_(index),
        stream_(stream),
        range_(range),
        visit_(visit),
        places_(log, stream),
        types_(index.types(), places_.partition()),
        decoder_(types_),
        left_(range.limit),
        after_(range.after),
        last_(range.upto == Version() ? Version::Max() : range.upto) {}

  absl::Status Run() {
    const bool backwards = range_.direction == Direction::kBackwards;
    if (backwards || range_.as_of.has_value() || after_ != Version()) EVERFOLD_RETURN_IF_ERROR(MeetHead());
    if (range_.as_of.has_value()) EVERFOLD_RETURN_IF_ERROR(GoBackInTime());
    return backwards ? ReadBackwards() : ReadForwards();
  }

 private:
  bool done() const { return left_ == 0 || after_ >= last_; }

  absl::Status MeetHead() {
    EVERFOLD_ASSIGN_OR_RETURN(const Version head, index_.VersionOf(stream_));
    last_ = std::min(last_, head);
    if (after_ <= head) return absl::OkStatus();
    return Error(absl::StatusCode::kOutOfRange, reason::kBeyondHead,
                 absl::StrFormat("%s is at version %d; it cannot be read after version %d", stream_.ToString(),
                                 head.value(), after_.value()),
                 {{"head", std::to_string(head.value())}});
  }

  // Recorded times never step back, so that the last version of a time is found by halving.
  absl::Status GoBackInTime() {
    Version least = after_;
    while (least < last_) {
      const Version middle(last_.value() - (last_.value() - least.value()) / 2);
      EVERFOLD_ASSIGN_OR_RETURN(const std::vector<StreamPlace> places,
                                index_.PlacesAfter(stream_, Version(middle.value() - 1), 1));
      if (places.empty()) return Gap(Version(middle.value() - 1));
      EVERFOLD_RETURN_IF_ERROR(places_.MoveTo(places.front()));
      if (places_.chunk().commit().recorded_at <= *range_.as_of) {
        least = middle;
      } else {
        last_ = Version(middle.value() - 1);
      }
    }
    return absl::OkStatus();
  }

  absl::Status ReadForwards() {
    while (!done()) {
      const std::size_t page = std::min(kPlacesAtOnce, left_);
      EVERFOLD_ASSIGN_OR_RETURN(const std::vector<StreamPlace> places, index_.PlacesAfter(stream_, after_, page));
      for (const StreamPlace& place : places) {
        if (done()) return absl::OkStatus();
        EVERFOLD_RETURN_IF_ERROR(VisitForwards(place));
      }
      if (places.size() < page) return absl::OkStatus();
    }
    return absl::OkStatus();
  }

  absl::Status VisitForwards(const StreamPlace& place) {
    if (place.first_version > after_.Next()) return Gap(after_);
    EVERFOLD_RETURN_IF_ERROR(places_.MoveTo(place));
    ChunkReader& chunk = places_.chunk();
    const Version end(place.first_version.value() + chunk.stream().event_count - 1);
    while (!done() && chunk.NextEvent()) {
      if (chunk.event().version > after_) EVERFOLD_RETURN_IF_ERROR(VisitEvent(chunk));
      after_ = std::max(after_, chunk.event().version);
    }
    if (chunk.commit().tombstone) after_ = std::max(after_, end);
    return chunk.status();
  }

  // The index tells places in ascending order: a page of them at a time, from the end.
  absl::Status ReadBackwards() {
    while (!done()) {
      const std::uint64_t page = std::min({kPlacesAtOnceBackwards, left_, last_.value() - after_.value()});
      const Version before(last_.value() - page);
      EVERFOLD_ASSIGN_OR_RETURN(const std::vector<StreamPlace> places, index_.PlacesAfter(stream_, before, page));
      if (places.empty() || places.front().first_version > before.Next()) return Gap(before);
      for (auto place = places.rbegin(); place != places.rend() && !done(); ++place) {
        if (place->first_version <= last_) EVERFOLD_RETURN_IF_ERROR(VisitBackwards(*place));
      }
    }
    return absl::OkStatus();
  }

  absl::Status VisitBackwards(const StreamPlace& place) {
    EVERFOLD_RETURN_IF_ERROR(places_.MoveTo(place));
    ChunkReader& chunk = places_.chunk();
    if (place.first_version.Plus(chunk.stream().event_count) <= last_) return Gap(last_);
    marks_.clear();
    while (chunk.NextEvent() && chunk.event().version <= last_) {
      if (chunk.event().version > after_) marks_.push_back(chunk);
    }
    EVERFOLD_RETURN_IF_ERROR(chunk.status());
    for (auto mark = marks_.rbegin(); mark != marks_.rend() && left_ > 0; ++mark) {
      EVERFOLD_RETURN_IF_ERROR(VisitEvent(*mark));
    }
    last_ = Version(place.first_version.value() - 1);
    return absl::OkStatus();
  }

  absl::Status VisitEvent(const ChunkReader& chunk) {
    EVERFOLD_RETURN_IF_ERROR(decoder_.Decode(chunk));
    --left_;
    return visit_(decoder_.event());
  }

  absl::Status Gap(Version at) const {
    return Error(
        absl::StatusCode::kDataLoss, reason::kDataLoss,
        absl::StrFormat("%s: the index does not know what is beside version %d", stream_.ToString(), at.value()));
  }

  const StoreIndex& index_;
  const StreamId& stream_;
  const StreamRange& range_;
  const absl::FunctionRef<absl::Status(const RecordedEvent&)> visit_;
  StreamPlaces places_;
  PartitionTypes types_;
  EventDecoder decoder_;
  std::size_t left_;
  // What is still to be read: above, and up to.
  Version after_;
  Version last_;
  std::vector<ChunkReader> marks_;  // on the events of a commit
};

}  // namespace

absl::Status ReadStreamEvents(const PartitionLog& log, const StoreIndex& index, const StreamId& stream,
                              const StreamRange& range, absl::FunctionRef<absl::Status(const RecordedEvent&)> visit) {
  EVERFOLD_RETURN_IF_ERROR(Validate(stream, range));
  return StreamRead(log, index, stream, range, visit).Run();
}

}  // namespace everfold
