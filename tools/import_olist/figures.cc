#include "tools/import_olist/figures.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "tools/import/progress_bar.h"
#include "tools/import/unary_call.h"

namespace everfold {
namespace {

namespace api = shop::v1;

using OrderQueries = api::OrdersByStatusQueryService::Stub;
using RevenueQueries = api::RevenueByMethodQueryService::Stub;

absl::StatusOr<std::vector<api::OrdersByStatus>> ListOrders(CallWindow& window, OrderQueries& queries,
                                                            const std::string& token) {
  api::ListOrdersByStatusesRequest request;
  request.set_consistency_token(token);
  api::ListOrdersByStatusesResponse page;
  EVERFOLD_RETURN_IF_ERROR(
      CallAndWait(window, queries, &OrderQueries::async_interface::ListOrdersByStatuses, request, page));
  return std::vector<api::OrdersByStatus>(page.orders_by_statuses().begin(), page.orders_by_statuses().end());
}

absl::StatusOr<std::vector<api::RevenueByMethod>> ListRevenue(CallWindow& window, RevenueQueries& queries,
                                                              const std::string& token) {
  api::ListRevenueByMethodsRequest request;
  request.set_page_size(1000);  // five methods in 200 currencies
  request.set_consistency_token(token);
  api::ListRevenueByMethodsResponse page;
  EVERFOLD_RETURN_IF_ERROR(
      CallAndWait(window, queries, &RevenueQueries::async_interface::ListRevenueByMethods, request, page));
  return std::vector<api::RevenueByMethod>(page.revenue_by_methods().begin(), page.revenue_by_methods().end());
}

// "credit_card" of "PAYMENT_METHOD_CREDIT_CARD".
std::string WordOf(const std::string& enumerator, const std::string& prefix) {
  return absl::AsciiStrToLower(enumerator.substr(prefix.size()));
}

std::string Amount(std::int64_t minor) {
  return absl::StrFormat("%s%s.%02d", minor < 0 && minor > -100 ? "-" : "", WithThousands(minor / 100),
                         std::abs(minor % 100));
}

}  // namespace

absl::StatusOr<Figures> ReadFigures(std::shared_ptr<grpc::Channel> channel, CallWindow::Options options,
                                    const std::string& consistency_token) {
  const auto orders = api::OrdersByStatusQueryService::NewStub(channel);
  const auto revenue = api::RevenueByMethodQueryService::NewStub(channel);
  CallWindow window(options);
  Figures figures;
  EVERFOLD_ASSIGN_OR_RETURN(figures.orders, ListOrders(window, *orders, consistency_token));
  // Their key is the status's name; people expect the life cycle.
  std::sort(figures.orders.begin(), figures.orders.end(),
            [](const api::OrdersByStatus& a, const api::OrdersByStatus& b) { return a.status() < b.status(); });
  EVERFOLD_ASSIGN_OR_RETURN(figures.revenue, ListRevenue(window, *revenue, consistency_token));
  return figures;
}

void Print(const Figures& figures, std::ostream& out) {
  std::int64_t orders = 0;
  out << "orders\n";
  for (const api::OrdersByStatus& row : figures.orders) {
    orders += row.orders();
    out << absl::StrFormat("  %-12s %10s\n", WordOf(api::OrderStatus_Name(row.status()), "ORDER_STATUS_"),
                           WithThousands(row.orders()));
  }
  out << absl::StrFormat("  %-12s %10s\n\n", "all", WithThousands(orders));

  std::int64_t payments = 0;
  out << absl::StrFormat("%-25s %20s %18s\n", "payments", "captured", "refunded");
  for (const api::RevenueByMethod& row : figures.revenue) {
    payments += row.payments();
    out << absl::StrFormat("  %-12s %10s %16s %s %14s %s\n",
                           WordOf(api::PaymentMethod_Name(row.method()), "PAYMENT_METHOD_"),
                           WithThousands(row.payments()), Amount(row.captured_minor()), row.currency(),
                           Amount(row.refunded_minor()), row.currency());
  }
  out << absl::StrFormat("  %-12s %10s\n", "all", WithThousands(payments));
}

}  // namespace everfold
