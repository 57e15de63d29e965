// Orders that change: the same events, whoever asks for them, and what they come to.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/v1/order.everfold.h"
#include "everfold/projection/projection.h"
#include "tests/bench/open_store.h"
#include "tests/bench/payloads.h"

namespace everfold::bench {

// The projection that is measured.
struct OrderRows {
  static constexpr ProjectionOptions kOptions{.name = "order_rows", .revision = 1};
  using Events = EventsOf<::bench::v1::Order>;
  using ReadModels = Tables<::bench::v1::OrderRow>;
  static void On(const ::bench::v1::OrderChanged& e, const EventContext& c, ReadModels& t) {
    t.Of<::bench::v1::OrderRow>().Edit(c.id, [&e](::bench::v1::OrderRow& row) {
      row.set_customer_id(e.customer_id());
      row.set_status(e.status());
      row.set_total_minor(row.total_minor() + e.amount_minor());
      row.set_changes(row.changes() + 1);
    });
  }
};

// "o0001234".
std::string OrderId(std::uint32_t order);

// A sequence of changes, each of an order chosen at random. Threading: one thread.
class OrderChanges {
 public:
  OrderChanges(std::uint32_t orders, std::uint64_t seed) : orders_(orders), noise_(seed) {}
  // Fills `event` anew; returns its order.
  std::uint32_t Next(::bench::v1::OrderChanged& event);

 private:
  const std::uint32_t orders_;
  Noise noise_;
};

inline constexpr std::uint64_t kSeedOfOrders = 7;

// Appends so many of them, a hundred a commit, and seals them.
absl::Status FillWithOrders(OpenStore& store, std::uint32_t orders, std::uint64_t events);

// The projection at work, when it has taken in all that is durable now.
absl::StatusOr<std::unique_ptr<Projection>> FollowOrders(OpenStore& store, const std::string& directory);
void CloseProjection(Projection& projection);

}  // namespace everfold::bench
