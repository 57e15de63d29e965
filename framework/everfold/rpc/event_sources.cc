#include "everfold/rpc/event_sources.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/rpc/append_message.h"
#include "everfold/rpc/event_bytes.h"
#include "everfold/rpc/event_message.h"
#include "everfold/subscription/latest_events.h"
#include "everfold/subscription/subscription.h"

namespace everfold {
namespace {

constexpr std::uint64_t kLatestByDefault = 100;
// Whoever asks for no more is not worth reading ahead for.
constexpr std::uint64_t kFewEvents = 10'000;

// Ends a page that is large enough; is no error of the read, and never seen outside.
absl::Status PageIsFull() { return absl::CancelledError("the page is full"); }

std::uint64_t LimitOf(std::uint64_t limit) { return limit == 0 ? std::numeric_limits<std::uint64_t>::max() : limit; }

bool IsFull(const EventBytes& page) { return page.size() >= kBytesAResponse; }

class StreamSource final : public ResponseSource {
 public:
  StreamSource(const EventStore& store, StreamId stream, StreamRange range)
      : store_(store), stream_(std::move(stream)), range_(range) {}

  absl::StatusOr<std::optional<grpc::ByteBuffer>> Next() override {
    EVERFOLD_RETURN_IF_ERROR(failure_);
    if (left() == 0) return std::nullopt;
    StreamRange part = range_;
    part.limit = std::min<std::size_t>(left(), kEventsAResponse);
    const absl::Status read = store_.ReadStream(stream_, part, [&](const RecordedEvent& event) {
      if (IsFull(page_)) return PageIsFull();
      page_.Add(event);
      MoveBehind(event.version);
      return absl::OkStatus();
    });
    if (!read.ok() && !IsFull(page_)) failure_ = read;
    if (page_.events() > 0) return page_.Release();
    EVERFOLD_RETURN_IF_ERROR(failure_);
    return std::nullopt;
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
  EventBytes page_;
  absl::Status failure_;  // to be told once what was read before it has been
};

grpc::ByteBuffer ResponseOf(EventBytes& page, const Checkpoint& behind) {
  v1::ReadAllResponse rest;
  rest.set_checkpoint(EncodeCheckpointBytes(behind));
  page.Add(rest);
  return page.Release();
}

// Whatever is durable when it begins, merged by sequence.
class ForwardSource final : public ResponseSource {
 public:
  ForwardSource(std::unique_ptr<Subscription> subscription, std::uint64_t limit)
      : subscription_(std::move(subscription)), left_(limit) {}

  absl::StatusOr<std::optional<grpc::ByteBuffer>> Next() override {
    EVERFOLD_RETURN_IF_ERROR(failure_);
    if (left_ == 0 || ended_) return std::nullopt;
    const absl::StatusOr<PullResult> pulled = subscription_->Pull(
        static_cast<std::size_t>(std::min<std::uint64_t>(left_, kEventsAResponse)), [&](const RecordedEvent& event) {
          if (IsFull(page_)) return PageIsFull();
          page_.Add(event);
          --left_;
          return absl::OkStatus();
        });
    if (!pulled.ok() && !IsFull(page_)) failure_ = pulled.status();
    if (page_.events() == 0) EVERFOLD_RETURN_IF_ERROR(failure_);
    ended_ = pulled.ok() && pulled->caught_up;
    return ResponseOf(page_, subscription_->checkpoint());
  }

 private:
  const std::unique_ptr<Subscription> subscription_;
  std::uint64_t left_;
  EventBytes page_;
  absl::Status failure_;  // to be told once what was read before it has been
  bool ended_ = false;
};

// Fetches some events, and hands them out in responses that are not too large; the last one of them has the checkpoint.
class BackwardSource final : public ResponseSource {
 public:
  BackwardSource(const EventStore& store, LatestOptions options)
      : store_(store), options_(std::move(options)), left_(options_.limit) {}

  absl::StatusOr<std::optional<grpc::ByteBuffer>> Next() override {
    if (pages_.empty() && (left_ == 0 || ended_)) return std::nullopt;
    if (pages_.empty()) EVERFOLD_RETURN_IF_ERROR(Fetch());
    EventBytes page = std::move(pages_.front());
    pages_.pop_front();
    if (pages_.empty()) return ResponseOf(page, options_.upto);
    return page.Release();
  }

 private:
  // So many that, if they are as large as those before, they are a few megabytes. At least one page.
  absl::Status Fetch() {
    options_.limit = std::min(left_, at_once_);
    std::deque<EventBytes> pages(1);
    EVERFOLD_ASSIGN_OR_RETURN(LatestResult read, ReadLatest(store_, options_, [&](const RecordedEvent& event) {
                                if (IsFull(pages.back())) pages.emplace_back();
                                pages.back().Add(event);
                                return absl::OkStatus();
                              }));
    std::size_t bytes = 0;
    for (const EventBytes& page : pages) bytes += page.size();
    pages_ = std::move(pages);
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
  std::deque<EventBytes> pages_;
  bool ended_ = false;
};

absl::StatusOr<std::unique_ptr<ResponseSource>> BackwardsOf(const EventStore& store,
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

absl::StatusOr<std::unique_ptr<ResponseSource>> SourceOf(const EventStore& store,
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

absl::StatusOr<std::unique_ptr<ResponseSource>> SourceOf(const EventStore& store, Executor& executor,
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
