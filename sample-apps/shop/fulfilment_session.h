// The second part of the demo: orders with a checkout, which the shop fulfils by itself with a payment provider that
// loses answers. Each is watched in a read model until it has come to its end.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "demo_steps.h"
#include "grpcpp/channel.h"
#include "shop/v1/order_api.grpc.pb.h"
#include "shop/v1/order_book_api.grpc.pb.h"
#include "shop/v1/stock_api.grpc.pb.h"

namespace shop::v1 {

class FulfilmentSession {
 public:
  // `name` begins the ids of its orders, and is new in each run.
  FulfilmentSession(std::shared_ptr<grpc::Channel> channel, std::string name, DemoSteps& steps);

  void Play();

 private:
  using Orders = OrderCommandService::Stub;
  using Stocks = StockCommandService::Stub;

  void ReceiveStock(int pieces);
  bool Place(const char* title, const std::string& order, int pieces);
  void Ship(const std::string& order);
  void Cancel(const std::string& order);
  // Prints each status that it meets until that one, or for 60 seconds.
  void WatchUntil(const char* title, const std::string& order, OrderStatus status);

  const std::string name_;
  DemoSteps& steps_;
  std::unique_ptr<Orders> orders_;
  std::unique_ptr<Stocks> stocks_;
  std::unique_ptr<OrderSummaryQueryService::Stub> queries_;
};

}  // namespace shop::v1
