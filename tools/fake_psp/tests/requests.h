// Requests that are quick to write.
#pragma once

#include <string>

#include "psp/v1/psp.pb.h"

namespace psp {

inline v1::Amount Brl(std::int64_t minor) {
  v1::Amount amount;
  amount.set_currency("BRL");
  amount.set_minor(minor);
  return amount;
}
inline v1::AuthorizeRequest Authorize(const std::string& key, std::int64_t minor, const std::string& reference = "o1") {
  v1::AuthorizeRequest request;
  request.set_key(key);
  request.set_reference(reference);
  request.set_token("card");
  *request.mutable_amount() = Brl(minor);
  return request;
}
inline v1::CaptureRequest Capture(const std::string& key, std::int64_t payment, std::int64_t minor) {
  v1::CaptureRequest request;
  request.set_key(key);
  request.set_payment(payment);
  *request.mutable_amount() = Brl(minor);
  return request;
}
inline v1::ReleaseRequest Release(const std::string& key, std::int64_t payment) {
  v1::ReleaseRequest request;
  request.set_key(key);
  request.set_payment(payment);
  return request;
}
inline v1::RefundRequest Refund(const std::string& key, std::int64_t payment, std::int64_t minor) {
  v1::RefundRequest request;
  request.set_key(key);
  request.set_payment(payment);
  *request.mutable_amount() = Brl(minor);
  return request;
}
inline v1::GetOperationRequest ByKey(const std::string& key) {
  v1::GetOperationRequest request;
  request.set_key(key);
  return request;
}

}  // namespace psp
