// What is odd about an order, and imported all the same: history is what it is. Told as warnings.
#pragma once

#include <array>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "tools/import_olist/olist_order.h"

namespace everfold {

enum class Oddity {
  kNoItems,
  kPaymentsDiffer,         // from items and freight; of orders with items
  kShippedBeforeApproval,  // or without one
  kCanceledYetDelivered,
  kDeliveredWithoutDate,
  kDateBeyondStatus,  // it tells of a step that the order's status denies; left out
  kPersonUnknown,     // the customer is taken for a person of its own
  kMethodUnknown,
};
inline constexpr int kOddityKinds = 8;

// For people: "handed to the carrier before approval".
const char* TextOf(Oddity oddity);

std::vector<Oddity> OdditiesOf(const OlistOrder& order);

// Counts oddities, and remembers the first ones of each kind. Threading: one thread.
class OddityList {
 public:
  static constexpr std::size_t kMostListed = 10;

  void Add(const OlistOrder& order);
  std::int64_t total() const;
  std::int64_t count(Oddity oddity) const { return kinds_[static_cast<std::size_t>(oddity)].count; }

  // One line a kind, with the first orders of it below.
  void Print(std::ostream& out) const;

 private:
  struct Kind {
    std::int64_t count = 0;
    std::vector<std::string> first;  // file:line and order id
  };
  std::array<Kind, kOddityKinds> kinds_;
};

}  // namespace everfold
