// What each command leads to in the life of a payment, and what each event means.
//
//   authorized -> captured -> refunded       A payment may also begin captured (a boleto, a voucher) or declined, and
//        '-----> released                    is captured until all of the money is given back. Of a captured one the
//        '-----> declined                    rest that was authorized can be released; that changes no status.
#pragma once

#include "shop/v1/payment.everfold.h"

namespace shop::v1 {

using everfold::Context, everfold::Decision;

struct PaymentDecider {
  using Aggregate = Payment;

  static Decision<Payment> Decide(const Payment& s, const AuthorizePayment& c, Context& context);
  static Decision<Payment> Decide(const Payment& s, const CapturePayment& c, Context& context);
  static Decision<Payment> Decide(const Payment& s, const RefundPayment& c, Context& context);
  static Decision<Payment> Decide(const Payment& s, const ReleasePayment& c, Context& context);
  static Decision<Payment> Decide(const Payment& s, const DeclinePayment& c, Context& context);

  static void Evolve(Payment& s, const PaymentAuthorized& e);
  static void Evolve(Payment& s, const PaymentCaptured& e);
  static void Evolve(Payment& s, const PaymentRefunded& e);
  static void Evolve(Payment& s, const PaymentReleased& e);
  static void Evolve(Payment& s, const PaymentDeclined& e);
};

}  // namespace shop::v1
