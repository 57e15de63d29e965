#include "everfold/rpc/event_sources.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/rpc/append_message.h"
#include "everfold/rpc/event_message.h"
#include "everfold/subscription/latest_events.h"
#include "everfold/subscription/subscription.h"

namespace everfold {
namespace {

constexpr std::uint64_t kLatestByDefault = 100;
// Whoever asks for no more is not worth reading ahead for.
constexpr std::uint64_t kFewEvents = 10'000;

// Ends a page that is large enough; is no error, and never seen outside.
absl::Status PageIsFull() { return absl::CancelledError("the page is full"); }

std::uint64_t LimitOf(std::uint64_t limit) { return limit == 0 ? std::numeric_limits<std::uint64_t>::max() : limit; }

// Adds events to a response until it is large enough.
template <class Response>
class Page {
 public:
  explicit Page(Response& response) : response_(response) {}

  bool full() const { return bytes_ >= kBytesAResponse; }
  void Add(const RecordedEvent& event) {
    v1::RecordedEvent& added = *response_.add_events();
    Fill(event, added);
    bytes_ += added.ByteSizeLong();
  }

 private:
  Response& response_;
  std::size_t bytes_ = 0;
};

class StreamSource final : public ResponseSource<v1::ReadStreamResponse> {
 public:
  StreamSource(const EventStore& store, StreamId stream, StreamRange range)
      : store_(store), stream_(std::move(stream)), range_(range) {}

  absl::StatusOr<bool> Next(v1::ReadStreamResponse& response) override {
    if (left() == 0) return false;
    Page page(response);
    StreamRange part = range_;
    part.limit = std::min<std::size_t>(left(), kEventsAResponse);
    const absl::Status read = store_.ReadStream(stream_, part, [&](const RecordedEvent& event) {
      if (page.full()) return PageIsFull();
      page.Add(event);
      MoveBehind(event.version);
      return absl::OkStatus();
    });
    if (!read.ok() && !page.full()) return read;
    return response.events_size() > 0;
  }

 private:
  std::uint64_t left() const { return range_.limit; }
  void MoveBehind(Version version) {
    if (range_.limit != std::numeric_limits<std::size_t>::max()) --range_.limit;
    if (range_.direction == Direction::kForwards) {
      range_.after = version;
    } else if (version.value() == range_.after.value() + 1) {
      range_.limit = 0;
    } else {
      range_.upto = Version(version.value() - 1);
    }
  }

  const EventStore& store_;
  const StreamId stream_;
  StreamRange range_;  // what is left of it
};

// Whatever is durable when it begins, merged by sequence.
class ForwardSource final : public ResponseSource<v1::ReadAllResponse> {
 public:
  ForwardSource(std::unique_ptr<Subscription> subscription, std::uint64_t limit)
      : subscription_(std::move(subscription)), left_(limit) {}

  absl::StatusOr<bool> Next(v1::ReadAllResponse& response) override {
    if (left_ == 0 || ended_) return false;
    Page page(response);
    const absl::StatusOr<PullResult> pulled = subscription_->Pull(
        static_cast<std::size_t>(std::min<std::uint64_t>(left_, kEventsAResponse)), [&](const RecordedEvent& event) {
          if (page.full()) return PageIsFull();
          page.Add(event);
          --left_;
          return absl::OkStatus();
        });
    if (!pulled.ok() && !page.full()) return pulled.status();
    ended_ = pulled.ok() && pulled->caught_up;
    response.set_checkpoint(EncodeCheckpointBytes(subscription_->checkpoint()));
    return true;
  }

 private:
  const std::unique_ptr<Subscription> subscription_;
  std::uint64_t left_;
  bool ended_ = false;
};

// Fetches some events, and hands them out in responses that are not too large; the last one of them has the checkpoint.
class BackwardSource final : public ResponseSource<v1::ReadAllResponse> {
 public:
  BackwardSource(const EventStore& store, LatestOptions options)
      : store_(store), options_(std::move(options)), left_(options_.limit) {}

  absl::StatusOr<bool> Next(v1::ReadAllResponse& response) override {
    if (fetched_.empty() && (left_ == 0 || ended_)) return false;
    if (fetched_.empty()) EVERFOLD_RETURN_IF_ERROR(Fetch());
    for (std::size_t bytes = 0; !fetched_.empty() && bytes < kBytesAResponse; fetched_.pop_front()) {
      bytes += fetched_.front().ByteSizeLong();
      response.add_events()->Swap(&fetched_.front());
    }
    if (fetched_.empty()) response.set_checkpoint(EncodeCheckpointBytes(options_.upto));
    return true;
  }

 private:
  // So many that, if they are as large as those before, they are a few megabytes.
  absl::Status Fetch() {
    options_.limit = std::min(left_, at_once_);
    std::size_t bytes = 0;
    EVERFOLD_ASSIGN_OR_RETURN(LatestResult read, ReadLatest(store_, options_, [&](const RecordedEvent& event) {
                                Fill(event, fetched_.emplace_back());
                                bytes += fetched_.back().ByteSizeLong();
                                return absl::OkStatus();
                              }));
    left_ -= read.events;
    ended_ = read.complete;
    options_.upto = std::move(read.rest);
    const std::size_t fitting = kBytesFetched * read.events / std::max<std::size_t>(bytes, 1);
    if (read.events > 0) at_once_ = std::clamp<std::size_t>(fitting, 1, std::min(4 * at_once_, kEventsAResponse));
    return absl::OkStatus();
  }

  static constexpr std::size_t kBytesFetched = 4 * kBytesAResponse;

  const EventStore& store_;
  LatestOptions options_;  // `upto` is what is to be fetched next
  std::size_t left_;
  std::size_t at_once_ = 16;
  std::deque<v1::RecordedEvent> fetched_;
  bool ended_ = false;
};

absl::StatusOr<std::unique_ptr<ResponseSource<v1::ReadAllResponse>>> BackwardsOf(const EventStore& store,
                                                                                 const v1::ReadAllRequest& request) {
  if (request.upto_sequence() > 0) {
    return Error(
        absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
        absl::StrFormat("upto_sequence is %d: what is read backwards begins at a checkpoint, not at a sequence",
                        request.upto_sequence()));
  }
  const std::uint64_t limit = request.limit() == 0 ? kLatestByDefault : request.limit();
  if (limit > kMaxLatestEvents) {
    return Error(absl::StatusCode::kInvalidArgument, reason::kLimitExceeded,
                 absl::StrFormat("limit: at most %d events are read backwards in one call, %d are asked for",
                                 kMaxLatestEvents, limit),
                 {{"limit", std::to_string(kMaxLatestEvents)}, {"actual", std::to_string(limit)}});
  }
  EVERFOLD_ASSIGN_OR_RETURN(Checkpoint upto, DecodeCheckpointBytes(request.checkpoint()));
  LatestOptions options{.selection = EventSelectionOf(request.selection()),
                        .partition = PartitionOf(request.selection()),
                        .upto = std::move(upto),
                        .limit = static_cast<std::size_t>(limit)};
  return std::make_unique<BackwardSource>(store, std::move(options));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ResponseSource<v1::ReadStreamResponse>>> SourceOf(const EventStore& store,
                                                                                 const v1::ReadStreamRequest& request) {
  EVERFOLD_ASSIGN_OR_RETURN(StreamId stream, ParseStreamId(request.stream(), request.tenant()));
  StreamRange range{.after = Version(request.after()),
                    .upto = Version(request.upto()),
                    .direction = request.backwards() ? Direction::kBackwards : Direction::kForwards,
                    .limit = static_cast<std::size_t>(LimitOf(request.limit()))};
  if (request.has_as_of()) {
    EVERFOLD_ASSIGN_OR_RETURN(range.as_of, TimeOf(request.as_of(), "as_of"));
  }
  return std::make_unique<StreamSource>(store, std::move(stream), range);
}

absl::StatusOr<std::unique_ptr<ResponseSource<v1::ReadAllResponse>>> SourceOf(const EventStore& store,
                                                                              Executor& executor,
                                                                              const v1::ReadAllRequest& request) {
  if (request.backwards()) return BackwardsOf(store, request);
  EVERFOLD_ASSIGN_OR_RETURN(const Checkpoint from, DecodeCheckpointBytes(request.checkpoint()));
  SubscriptionOptions options{.selection = EventSelectionOf(request.selection()),
                              .partition = PartitionOf(request.selection()),
                              .upto_sequence = Sequence(request.upto_sequence())};
  // What comes while the caller reads is another call's, or a subscription's.
  if (request.upto_sequence() == 0) options.upto = store.DurableHead();
  if (LimitOf(request.limit()) > kFewEvents) options.read_ahead = &executor;
  EVERFOLD_ASSIGN_OR_RETURN(std::unique_ptr<Subscription> subscription,
                            Subscription::Start(store, from, std::move(options)));
  return std::make_unique<ForwardSource>(std::move(subscription), LimitOf(request.limit()));
}

}  // namespace everfold
