// What the shop's read models say about orders and payments.
#pragma once

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/channel.h"
#include "shop/v1/order_book_api.grpc.pb.h"
#include "shop/v1/revenue_api.grpc.pb.h"
#include "tools/import/call_window.h"

namespace everfold {

struct Figures {
  std::vector<shop::v1::OrdersByStatus> orders;
  std::vector<shop::v1::RevenueByMethod> revenue;
};

// Asks until the read models have reached the token, or patience ends.
absl::StatusOr<Figures> ReadFigures(std::shared_ptr<grpc::Channel> channel, CallWindow::Options options,
                                    const std::string& consistency_token);

// Two tables.
void Print(const Figures& figures, std::ostream& out);

}  // namespace everfold
