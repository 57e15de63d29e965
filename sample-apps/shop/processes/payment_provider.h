// The payment provider, as the shop calls it. Every request has a key of the shop's, under which it is done at most
// once: to ask again is to ask what became of it.
#pragma once

#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "psp/v1/psp.pb.h"

namespace shop::v1 {

// Threading: thread-safe. Does not block.
//
// Lifetime: `done` is called once, from any thread, also if nobody has answered by the deadline.
//
// Errors: INVALID_ARGUMENT, NOT_FOUND and FAILED_PRECONDITION are the provider's no, and nothing was done. Of all
// others nobody knows.
class PaymentProvider {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<psp::v1::Operation>)>;
  virtual ~PaymentProvider() = default;

  virtual void Ask(const psp::v1::AuthorizeRequest& request, absl::Time deadline, Done done) = 0;
  virtual void Ask(const psp::v1::CaptureRequest& request, absl::Time deadline, Done done) = 0;
  virtual void Ask(const psp::v1::ReleaseRequest& request, absl::Time deadline, Done done) = 0;
  virtual void Ask(const psp::v1::RefundRequest& request, absl::Time deadline, Done done) = 0;
};

// Over gRPC, without encryption: a provider on this machine. One that is not there is looked for with every request.
std::shared_ptr<PaymentProvider> ConnectToProvider(const std::string& address);

}  // namespace shop::v1
