#include "domain/order_decider.h"
#include "domain/payment_decider.h"
#include "everfold/app/app.h"
#include "reactors/order_mail.h"
#include "read_models/order_book.h"
#include "read_models/revenue.h"

int main(int argc, char** argv) {
  return everfold::App("shop")
      .Aggregate<shop::v1::OrderDecider>()
      .Aggregate<shop::v1::PaymentDecider>()
      .Projection<shop::v1::OrderBook>()
      .Projection<shop::v1::Revenue>()
      .Reactor<shop::v1::OrderMail>()
      .Main(argc, argv);
}
