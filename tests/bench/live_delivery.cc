#include "tests/bench/live_delivery.h"

#include <algorithm>
#include <utility>

#include "everfold/base/status.h"
#include "tests/bench/machine.h"
#include "tests/bench/store_target.h"

namespace everfold::bench {
namespace {

constexpr std::size_t kEventsAPull = 1024;

}  // namespace

void DeliveryTimes::Acknowledged(Sequence sequence) { Note(acknowledged_, sequence.value() - before_.value()); }
void DeliveryTimes::Visited(Sequence sequence) { Note(visited_, sequence.value() - before_.value()); }

void DeliveryTimes::Note(std::vector<std::atomic<std::int64_t>>& times, std::uint64_t index) {
  if (index < times.size()) times[index].store(NowNanos(), std::memory_order_relaxed);
}

void DeliveryTimes::Collect(Latencies& latencies) const {
  for (std::size_t i = 1; i < acknowledged_.size(); ++i) {
    if (acknowledged_[i] != 0 && visited_[i] != 0) {
      latencies.Add(std::max<std::int64_t>(0, visited_[i] - acknowledged_[i]));
    }
  }
}

TimedTarget::TimedTarget(EventStore& store, const Payloads& payloads, DeliveryTimes& times)
    : store_(store), payloads_(payloads), times_(times) {
  for (std::size_t i = 0; i < kMostCallers; ++i) noises_.emplace_back(i);
}

void TimedTarget::Append(std::size_t number, Caller& caller) {
  const EventType type = EventTypeOf(number % kEventTypes);
  NewEvent event;
  event.type = type.name;
  event.fingerprint = type.fingerprint;
  event.payload.resize(payloads_.bytes());
  payloads_.Fill(noises_[number], event.payload.data());
  AppendRequest request;
  StreamAppend& stream = request.streams.emplace_back();
  stream.stream = Streams::NameOf(static_cast<std::uint32_t>(noises_[number].Below(Streams::kStreams)));
  stream.events.push_back(std::move(event));
  store_.Append(std::move(request), [this, &caller](const absl::StatusOr<AppendResult>& result) {
    if (result.ok()) times_.Acknowledged(result->sequence);
    caller.OnDurable(result.status());
  });
}

absl::StatusOr<std::unique_ptr<LiveReader>> LiveReader::Start(EventStore& store, DeliveryTimes& times) {
  std::unique_ptr<LiveReader> reader(new LiveReader(times));
  EVERFOLD_ASSIGN_OR_RETURN(reader->subscription_, Subscription::Start(store, store.DurableHead()));
  reader->watch_ = store.WatchDurable([at = reader.get()] { at->OnHint(); });
  return reader;
}

void LiveReader::OnHint() {
  if (hints_.fetch_add(1) > 0) return;
  int seen = 1;
  do {
    seen = hints_.load();
    PullAll();
  } while (!hints_.compare_exchange_strong(seen, 0));
}

void LiveReader::PullAll() {
  Sequence last;
  absl::StatusOr<PullResult> pulled;
  do {
    pulled = subscription_->Pull(kEventsAPull, [&](const RecordedEvent& event) {
      last = event.commit.sequence;
      times_.Visited(last);
      return absl::OkStatus();
    });
  } while (pulled.ok() && !pulled->caught_up);
  MutexLock lock(&mutex_);
  visited_ = std::max(visited_, last);
  status_.Update(pulled.status());
}

absl::Status LiveReader::WaitFor(Sequence last) {
  const auto reached = [this, last] {
    mutex_.AssertReaderHeld();
    return !status_.ok() || visited_ >= last;
  };
  MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&reached));
  return status_;
}

}  // namespace everfold::bench
