// Orders that look like the data set's, for demos and load: the same shares of statuses, of methods of payment and of
// oddities, prices that are mostly small, a few customers who come back. The same seed gives the same orders
// everywhere.
#pragma once

#include <cstdint>

#include "everfold/base/random.h"
#include "tools/import_olist/olist_order.h"

namespace everfold {

// Threading: one thread. Holds nothing of the orders that it has made.
class OrderGenerator {
 public:
  struct Options {
    std::uint64_t seed = 1;
    std::int64_t orders = 0;  // over which the two years of trade are spread
  };
  explicit OrderGenerator(Options options) : options_(options), random_(options.seed) {}

  // REQUIRES: called at most `orders` times.
  OlistOrder Next();

 private:
  bool OneIn(std::uint64_t count) { return random_.Below(count) == 0; }
  std::int64_t Between(std::int64_t least, std::int64_t most);
  absl::Duration Hours(std::int64_t least, std::int64_t most);
  std::string NewId();

  absl::Time PlacedAt();
  std::string Customer();
  void AddDates(OlistOrder& order);
  void AddItems(OlistOrder& order);
  OlistItem Item(std::int64_t number);
  void AddPayments(OlistOrder& order);
  OlistPayment Payment(std::int64_t sequential, shop::v1::PaymentMethod method, std::int64_t amount_minor);
  void AddOddity(OlistOrder& order);

  const Options options_;
  SeededRandom random_;
  std::int64_t made_ = 0;
};

}  // namespace everfold
