#include "demo_rows.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "shop/v1/order_book_api.grpc.pb.h"
#include "shop/v1/revenue_api.grpc.pb.h"
#include "shop/v1/stock_level_api.grpc.pb.h"
#include "tools/import/decimal.h"
#include "tools/import/pages.h"
#include "tools/import/progress_bar.h"

namespace shop::v1 {
namespace {

using everfold::CallWindow;
using Lines = std::vector<std::string>;

constexpr int kPageSize = 1000;
constexpr int kDaysShown = 8;
const CallWindow::Options kOneAtATime = {.in_flight = 1, .give_up_after = absl::Seconds(10)};

// Rows are the first field of every page.
void AddLines(const google::protobuf::Message& page, Lines& lines) {
  const google::protobuf::FieldDescriptor* const rows = page.GetDescriptor()->field(0);
  const google::protobuf::Reflection& reflection = *page.GetReflection();
  for (int i = 0; i < reflection.FieldSize(page, rows); ++i) {
    const std::string row = reflection.GetRepeatedMessage(page, rows, i).ShortDebugString();
    lines.push_back(absl::StrFormat("%s %s", rows->message_type()->name(), row));
  }
}

template <class Request, class Response, class Stub>
absl::Status AddRows(std::unique_ptr<Stub> stub,
                     std::type_identity_t<everfold::UnaryMethod<Stub, Request, Response>> method, Lines& lines) {
  CallWindow window(kOneAtATime);
  Request request;
  request.set_page_size(kPageSize);
  return everfold::ForEachPage<Response>(window, *stub, method, request,
                                         [&lines](const Response& page) { AddLines(page, lines); });
}

absl::Status AddOrderBook(const std::shared_ptr<grpc::Channel>& channel, Lines& lines) {
  using Summaries = OrderSummaryQueryService;
  using Balances = OrderBalanceQueryService;
  using Statuses = OrdersByStatusQueryService;
  using Histories = CustomerHistoryQueryService;
  EVERFOLD_RETURN_IF_ERROR((AddRows<ListOrderSummariesRequest, ListOrderSummariesResponse>(
      Summaries::NewStub(channel), &Summaries::Stub::async_interface::ListOrderSummaries, lines)));
  EVERFOLD_RETURN_IF_ERROR((AddRows<ListOrderBalancesRequest, ListOrderBalancesResponse>(
      Balances::NewStub(channel), &Balances::Stub::async_interface::ListOrderBalances, lines)));
  EVERFOLD_RETURN_IF_ERROR((AddRows<ListOrdersByStatusesRequest, ListOrdersByStatusesResponse>(
      Statuses::NewStub(channel), &Statuses::Stub::async_interface::ListOrdersByStatuses, lines)));
  return AddRows<ListCustomerHistoriesRequest, ListCustomerHistoriesResponse>(
      Histories::NewStub(channel), &Histories::Stub::async_interface::ListCustomerHistories, lines);
}

absl::Status AddRevenue(const std::shared_ptr<grpc::Channel>& channel, Lines& lines) {
  using Days = RevenueByMethodDayQueryService;
  using Methods = RevenueByMethodQueryService;
  EVERFOLD_RETURN_IF_ERROR((AddRows<ListRevenueByMethodDaysRequest, ListRevenueByMethodDaysResponse>(
      Days::NewStub(channel), &Days::Stub::async_interface::ListRevenueByMethodDays, lines)));
  return AddRows<ListRevenueByMethodsRequest, ListRevenueByMethodsResponse>(
      Methods::NewStub(channel), &Methods::Stub::async_interface::ListRevenueByMethods, lines);
}

absl::Status AddStockLevels(const std::shared_ptr<grpc::Channel>& channel, Lines& lines) {
  using Levels = StockLevelQueryService;
  return AddRows<ListStockLevelsRequest, ListStockLevelsResponse>(
      Levels::NewStub(channel), &Levels::Stub::async_interface::ListStockLevels, lines);
}

}  // namespace

absl::Status DumpRows(std::shared_ptr<grpc::Channel> channel, std::ostream& out) {
  Lines lines;
  EVERFOLD_RETURN_IF_ERROR(AddOrderBook(channel, lines));
  EVERFOLD_RETURN_IF_ERROR(AddRevenue(channel, lines));
  EVERFOLD_RETURN_IF_ERROR(AddStockLevels(channel, lines));
  std::sort(lines.begin(), lines.end());
  for (const std::string& line : lines) out << line << "\n";
  return absl::OkStatus();
}

absl::Status PrintSomeDays(std::shared_ptr<grpc::Channel> channel, const std::string& consistency_token,
                           std::ostream& out) {
  using Stub = RevenueByMethodDayQueryService::Stub;
  const auto stub = RevenueByMethodDayQueryService::NewStub(channel);
  ListRevenueByMethodDaysRequest request;
  request.set_page_size(kDaysShown);
  request.set_consistency_token(consistency_token);
  ListRevenueByMethodDaysResponse page;
  CallWindow window(kOneAtATime);
  EVERFOLD_RETURN_IF_ERROR(CallAndWait(window, *stub, &Stub::async_interface::ListRevenueByMethodDays, request, page));
  out << absl::StrFormat("  %-12s %-10s %10s %20s\n", "method", "day", "payments", "captured");
  for (const RevenueByMethodDay& row : page.revenue_by_method_days()) {
    const std::string method = PaymentMethod_Name(row.method()).substr(sizeof("PAYMENT_METHOD_") - 1);
    const std::string captured = everfold::WithThousands(everfold::FormatMinorUnits(row.captured_minor(), 2));
    out << absl::StrFormat("  %-12s %-10s %10s %16s %s\n", absl::AsciiStrToLower(method), row.day(),
                           everfold::WithThousands(row.payments()), captured, row.currency());
  }
  return absl::OkStatus();
}

}  // namespace shop::v1
