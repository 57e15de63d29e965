#include "read_models/revenue.h"

#include "absl/time/time.h"
#include "read_models/checked_sum.h"

namespace shop::v1 {
namespace {

std::string DayOf(absl::Time time) { return absl::FormatTime("%Y-%m-%d", time, absl::UTCTimeZone()); }

// The rows that an event changes.
template <class Event, class Add>
void AddToBoth(const Event& e, const EventContext& c, Revenue::ReadModels& t, Add add) {
  const PaymentMethod method = e.terms().method();
  const std::string& currency = e.amount().currency();
  t.Of<RevenueByMethodDay>().Edit({method, DayOf(c.event_time), currency}, add);
  t.Of<RevenueByMethod>().Edit({method, currency}, add);
}

}  // namespace

void Revenue::On(const PaymentCaptured& e, const EventContext& c, ReadModels& t) {
  AddToBoth(e, c, t, [&](auto& row) {
    row.set_payments(row.payments() + 1);
    row.set_captured_minor(CheckedSum(row.captured_minor(), e.amount()));
  });
}

void Revenue::On(const PaymentRefunded& e, const EventContext& c, ReadModels& t) {
  AddToBoth(e, c, t, [&](auto& row) { row.set_refunded_minor(CheckedSum(row.refunded_minor(), e.amount())); });
}

}  // namespace shop::v1
