#include <cstdlib>

#include "domain/customer_decider.h"
#include "domain/order_decider.h"
#include "domain/payment_decider.h"
#include "domain/stock_decider.h"
#include "everfold/app/app.h"
#include "processes/fulfilment.h"
#include "reactors/order_mail.h"
#include "read_models/order_book.h"
#include "read_models/revenue.h"
#include "read_models/stock_levels.h"

int main(int argc, char** argv) {
  const char* const address = std::getenv("SHOP_PAYMENT_PROVIDER");
  const auto provider = shop::v1::ConnectToProvider(address != nullptr ? address : "127.0.0.1:50061");
  return everfold::App("shop")
      .Aggregate<shop::v1::OrderDecider>()
      .Aggregate<shop::v1::PaymentDecider>()
      .Aggregate<shop::v1::StockDecider>()
      .Aggregate<shop::v1::CustomerDecider>()
      .Boundary<shop::v1::EmailBookDecider>()
      .Projection<shop::v1::OrderBook>()
      .Projection<shop::v1::Revenue>()
      .Projection<shop::v1::StockLevels>()
      .Process<shop::v1::FulfilmentProcess>(shop::v1::AuthorizeAtProvider(provider),
                                            shop::v1::CaptureAtProvider(provider),
                                            shop::v1::ReleaseAtProvider(provider), shop::v1::RefundAtProvider(provider))
      .Reactor<shop::v1::OrderMail>()
      .Main(argc, argv);
}
