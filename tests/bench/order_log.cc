#include "tests/bench/order_log.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_format.h"
#include "everfold/base/mutex.h"
#include "everfold/base/status.h"

namespace everfold::bench {
namespace {

constexpr std::size_t kEventsACommit = 100;
constexpr int kCommitsUnderWay = 64;

NewEvent EventOf(const ::bench::v1::OrderChanged& event) {
  using Traits = EventTraits<::bench::v1::OrderChanged>;
  return {.type = Traits::kName,
          .fingerprint = std::string(Traits::Fingerprint()),
          .payload = event.SerializeAsString(),
          .event_time = {},
          .tags = {}};
}

// Appends, and waits where too many are under way. Threading: Append on one thread.
class Filling {
 public:
  explicit Filling(EventStore& store) : store_(store) {}

  void Append(AppendRequest request) {
    const auto has_room = [this] {
      mutex_.AssertReaderHeld();
      return under_way_ < kCommitsUnderWay;
    };
    {
      MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(&has_room));
      ++under_way_;
    }
    store_.Append(std::move(request), [this](const absl::StatusOr<AppendResult>& result) {
      MutexLock lock(&mutex_);
      status_.Update(result.status());
      --under_way_;
    });
  }

  absl::Status Wait() {
    const auto is_done = [this] {
      mutex_.AssertReaderHeld();
      return under_way_ == 0;
    };
    MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&is_done));
    return status_;
  }

 private:
  EventStore& store_;
  Mutex mutex_;
  int under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

// A stream may be in a commit only once.
void Add(AppendRequest& request, const std::string& order, NewEvent event) {
  for (StreamAppend& stream : request.streams) {
    if (stream.stream.id == order) {
      stream.events.push_back(std::move(event));
      return;
    }
  }
  StreamAppend& stream = request.streams.emplace_back();
  stream.stream = {.tenant = "", .aggregate = "order", .id = order};
  stream.events.push_back(std::move(event));
}

}  // namespace

std::string OrderId(std::uint32_t order) { return absl::StrFormat("o%07d", order); }

std::uint32_t OrderChanges::Next(::bench::v1::OrderChanged& event) {
  static constexpr const char* kStatuses[] = {"placed", "paid", "packed", "shipped", "delivered"};
  const std::uint64_t random = noise_.Next();
  event.set_customer_id(absl::StrFormat("c%06d", random % 50'000));
  event.set_status(kStatuses[(random >> 20) % 5]);
  event.set_amount_minor(static_cast<std::int64_t>((random >> 30) % 100'000));
  event.set_note("left at the door of the neighbour, who is at home until six");
  return static_cast<std::uint32_t>(noise_.Below(orders_));
}

absl::Status FillWithOrders(OpenStore& store, std::uint32_t orders, std::uint64_t events) {
  OrderChanges changes(orders, kSeedOfOrders);
  ::bench::v1::OrderChanged event;
  Filling filling(store.store());
  for (std::uint64_t done = 0; done < events;) {
    AppendRequest request;
    for (std::size_t i = 0; i < kEventsACommit && done < events; ++i, ++done) {
      const std::uint32_t order = changes.Next(event);
      Add(request, OrderId(order), EventOf(event));
    }
    filling.Append(std::move(request));
  }
  EVERFOLD_RETURN_IF_ERROR(filling.Wait());
  return store.SealAll();
}

absl::StatusOr<std::unique_ptr<Projection>> FollowOrders(OpenStore& store, const std::string& directory) {
  EVERFOLD_ASSIGN_OR_RETURN(auto projection, Projection::Open({.directory = directory}, MakeProjectionType<OrderRows>(),
                                                              store.store(), store.executor()));
  projection->Start();
  std::vector<Position> head;
  const Checkpoint durable = store.store().DurableHead();
  for (std::uint32_t i = 0; i < durable.offsets.size(); ++i) head.push_back({PartitionId(i), durable.offsets[i]});
  absl::Status status;
  Notification caught_up;
  projection->WaitFor(std::move(head), [&](absl::Status reached) {
    status = std::move(reached);
    caught_up.Notify();
  });
  caught_up.WaitForNotification();
  if (!status.ok()) CloseProjection(*projection);
  EVERFOLD_RETURN_IF_ERROR(status);
  return projection;
}

void CloseProjection(Projection& projection) {
  Notification closed;
  projection.Close([&closed] { closed.Notify(); });
  closed.WaitForNotification();
}

}  // namespace everfold::bench
