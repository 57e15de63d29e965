// The commands that an order of the data set comes to, in the order of its life cycle.
//
// A step is taken where the data set dates it, and where the order's status says that it was the last one; no other is
// made up. A last step without a date happened at the latest time that the order has. A payment is captured when the
// order was approved, because that is the approval of its payment, and otherwise when it was placed.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "shop/v1/order_api.pb.h"
#include "shop/v1/payment_api.pb.h"
#include "tools/import_olist/olist_order.h"

namespace everfold {

using StepRequest =
    std::variant<shop::v1::PlaceOrderRequest, shop::v1::ApproveOrderRequest, shop::v1::CapturePaymentRequest,
                 shop::v1::InvoiceOrderRequest, shop::v1::StartProcessingRequest, shop::v1::ShipOrderRequest,
                 shop::v1::DeliverOrderRequest, shop::v1::CancelOrderRequest, shop::v1::MarkUnavailableRequest>;

struct Step {
  // The row that it is made from.
  const char* file = nullptr;
  int line = 0;
  std::string name;  // "place", "capture-1"
  // Its request_id follows from the order and the step, so that sending it again changes nothing. What is sent with
  // a request_id first, stands: a row that is corrected later makes no other step.
  StepRequest request;
};

// The first step places the order.
std::vector<Step> StepsOf(const OlistOrder& order);

}  // namespace everfold
