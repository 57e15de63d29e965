// Tests of projections, without a store or a file:
//
//   Project<Balances>(InStream("w1", MakeDeposited({.amount_minor = 100}), MakeWithdrawn({.amount_minor = 30})))
//       .ExpectRows(MakeWalletBalance({.wallet_id = "w1", .balance_minor = 70}));
//
// The handlers run against real tables, in memory. Events that others supersede may be given as well, as they are
// stored; the deciders that upcast them are then named behind the projection:
//
//   Project<Balances, WalletDecider>(InStream("w1", MakeMoneyIn({.cents = 100})))
//
// A projection whose order is ProjectionOrder::kPerPartition may meet the events of streams with different placement in
// any order: they are also folded in several others, and where the rows differ, the test fails and shows them.
//
// Failures are reported to GoogleTest.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "everfold/projection/projection_type.h"
#include "everfold/testing/message_text.h"
#include "google/protobuf/message.h"

namespace everfold::testing {

// One event and the stream it is in. Versions follow from the order.
struct GivenEvent {
  StreamId stream;
  std::shared_ptr<const google::protobuf::Message> event;
  std::optional<absl::Time> event_time;
  bool is_superseded = false;
};

namespace internal {

template <class E>
GivenEvent MakeGivenEvent(const std::string& id, const E& event) {
  using Aggregate = AggregateOf<typename EventTraits<E>::Aggregate>;
  return {StreamId{"", Aggregate::kName, id}, std::make_shared<E>(event), EventTraits<E>::EventTime(event),
          kIsIn<E, typename Aggregate::Superseded>};
}

}  // namespace internal

// Events of one aggregate instance; the aggregate is the first event's.
template <class... E>
std::vector<GivenEvent> InStream(const std::string& id, const E&... events) {
  return {internal::MakeGivenEvent(id, events)...};
}

// A projection's read models after some events.
class Projected {
 public:
  // `deciders` upcast the superseded events of their aggregates.
  explicit Projected(ProjectionType type, const std::vector<AggregateType>& deciders = {});
  ~Projected();
  Projected(Projected&&) noexcept;

  // Goes on with more events.
  void Apply(const std::vector<GivenEvent>& events);

  // Exactly these rows of the rows' read model, in the order of its key.
  template <class Row, class... Rows>
  const Projected& ExpectRows(const Row& first, const Rows&... rows) const {
    static_assert((std::same_as<Row, Rows> && ...), "ExpectRows: the rows of one read model");
    CompareRows(ReadModelTraits<Row>::Schema().message, {TextOf(first), TextOf(rows)...}, TextsOf<Row>());
    return *this;
  }
  template <class Row>
  const Projected& ExpectNoRows() const {
    CompareRows(ReadModelTraits<Row>::Schema().message, {}, TextsOf<Row>());
    return *this;
  }

 private:
  struct State;
  RowStore& rows() const;
  void CompareOrders() const;
  void CompareRows(const std::string& read_model, std::vector<std::string> expected,
                   const std::vector<std::string>& actual) const;

  template <class Row>
  std::vector<std::string> TextsOf() const {
    std::vector<std::string> texts;
    Table<Row>(rows()).Scan([&texts](const Row& row) { texts.push_back(TextOf(row)); });
    return texts;
  }

  std::unique_ptr<State> state_;
};

// Streams one after the other, as if each had been written before the next.
template <class P, class... Deciders, class... Streams>
Projected Project(const Streams&... streams) {
  std::vector<AggregateType> deciders;
  (deciders.push_back(MakeAggregateType<Deciders>()), ...);
  Projected projected(MakeProjectionType<P>(), deciders);
  (projected.Apply(streams), ...);
  return projected;
}

}  // namespace everfold::testing
