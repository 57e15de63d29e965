#include "tools/import_olist/refusal.h"

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "everfold/base/error.h"
#include "everfold/base/timestamp.h"
#include "shop/v1/order.pb.h"
#include "shop/v1/payment.pb.h"
#include "tools/import/rpc_status.h"

namespace everfold {
namespace {

std::string Rfc3339(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", TimeOf(time), absl::UTCTimeZone());
}

// `Rejection` is OrderTimeRefused or PaymentTimeRefused.
template <class Rejection>
std::string TextOfTime(const Rejection& rejection) {
  return absl::StrFormat("it cannot have happened at %s: not from %s to %s", Rfc3339(rejection.occurred_at()),
                         Rfc3339(rejection.earliest()), Rfc3339(rejection.latest()));
}

}  // namespace

bool WasImportedOtherwise(const absl::Status& refusal) { return ReasonOf(refusal) == reason::kIdempotencyKeyReused; }

std::string TextOf(const absl::Status& refusal) {
  if (WasImportedOtherwise(refusal)) return "imported before with other content; the first import stands";
  shop::v1::OrderTimeRefused order_time;
  if (FindDetail(refusal, order_time)) return TextOfTime(order_time);
  shop::v1::PaymentTimeRefused payment_time;
  if (FindDetail(refusal, payment_time)) return TextOfTime(payment_time);
  return Describe(refusal);
}

}  // namespace everfold
