// What the fulfilment asks the payment provider for, as activities. The key of a request is the fulfilment's, and the
// same whenever it asks for the same thing again, in another activity, too.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "absl/time/time.h"
#include "everfold/process/activity.h"
#include "processes/payment_provider.h"

namespace shop::v1 {

template <class RequestMessage>
inline constexpr std::string_view kNameOfCall = {};
template <>
inline constexpr std::string_view kNameOfCall<psp::v1::AuthorizeRequest> = "authorize_at_provider";
template <>
inline constexpr std::string_view kNameOfCall<psp::v1::CaptureRequest> = "capture_at_provider";
template <>
inline constexpr std::string_view kNameOfCall<psp::v1::ReleaseRequest> = "release_at_provider";
template <>
inline constexpr std::string_view kNameOfCall<psp::v1::RefundRequest> = "refund_at_provider";

// The provider has refused the request, and done nothing.
inline bool IsNo(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsNotFound(status) || absl::IsFailedPrecondition(status);
}
// Whatever else it is, for example CANCELLED of a provider that was stopped: it may have done what was asked.
inline absl::Status NotKnown(const absl::Status& status) { return absl::UnavailableError(status.message()); }

// Its result is what was done or will never be; an answer that the payer's bank still owes is asked for again, as one
// that got lost.
template <class RequestMessage>
class ProviderCall {
 public:
  using Request = RequestMessage;
  using Result = psp::v1::Operation;
  static constexpr everfold::ActivityOptions kOptions = {
      .name = kNameOfCall<RequestMessage>,
      .timeout = absl::Minutes(5),
      .attempt_timeout = absl::Seconds(5),
      .retry = {.attempts = 1000, .first_wait = absl::Milliseconds(200), .longest_wait = absl::Seconds(5)}};

  explicit ProviderCall(std::shared_ptr<PaymentProvider> provider) : provider_(std::move(provider)) {}

  void Start(const Request& request, const everfold::ActivityCall& call, everfold::ActivityDone<ProviderCall> done) {
    provider_->Ask(request, call.deadline,
                   [done = std::move(done)](absl::StatusOr<psp::v1::Operation> operation) mutable {
                     if (!operation.ok()) {
                       return done(IsNo(operation.status()) ? operation.status() : NotKnown(operation.status()));
                     }
                     if (operation->state() != psp::v1::OPERATION_STATE_PENDING) return done(*operation);
                     done(absl::UnavailableError("the payer's bank has not answered"));
                   });
  }

 private:
  std::shared_ptr<PaymentProvider> provider_;
};

using AuthorizeAtProvider = ProviderCall<psp::v1::AuthorizeRequest>;
using CaptureAtProvider = ProviderCall<psp::v1::CaptureRequest>;
using ReleaseAtProvider = ProviderCall<psp::v1::ReleaseRequest>;
using RefundAtProvider = ProviderCall<psp::v1::RefundRequest>;

}  // namespace shop::v1
