#include "tools/import_olist/figures.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "tools/import/decimal.h"
#include "tools/import/pages.h"
#include "tools/import/progress_bar.h"
#include "tools/import_olist/olist_order.h"

namespace everfold {
namespace {

namespace api = shop::v1;

using OrderQueries = api::OrdersByStatusQueryService::Stub;
using RevenueQueries = api::RevenueByMethodQueryService::Stub;

constexpr int kPageSize = 1000;  // the most that the shop gives

absl::StatusOr<std::vector<api::OrdersByStatus>> ListOrders(CallWindow& window, OrderQueries& queries,
                                                            const std::string& token) {
  api::ListOrdersByStatusesRequest request;
  request.set_page_size(kPageSize);
  request.set_consistency_token(token);
  std::vector<api::OrdersByStatus> rows;
  EVERFOLD_RETURN_IF_ERROR(ForEachPage<api::ListOrdersByStatusesResponse>(
      window, queries, &OrderQueries::async_interface::ListOrdersByStatuses, request, [&rows](const auto& page) {
        rows.insert(rows.end(), page.orders_by_statuses().begin(), page.orders_by_statuses().end());
      }));
  return rows;
}

absl::StatusOr<std::vector<api::RevenueByMethod>> ListRevenue(CallWindow& window, RevenueQueries& queries,
                                                              const std::string& token) {
  api::ListRevenueByMethodsRequest request;
  request.set_page_size(kPageSize);
  request.set_consistency_token(token);
  std::vector<api::RevenueByMethod> rows;
  EVERFOLD_RETURN_IF_ERROR(ForEachPage<api::ListRevenueByMethodsResponse>(
      window, queries, &RevenueQueries::async_interface::ListRevenueByMethods, request, [&rows](const auto& page) {
        rows.insert(rows.end(), page.revenue_by_methods().begin(), page.revenue_by_methods().end());
      }));
  return rows;
}

// "credit_card" of "PAYMENT_METHOD_CREDIT_CARD".
std::string WordOf(const std::string& enumerator, const std::string& prefix) {
  return absl::AsciiStrToLower(enumerator.substr(prefix.size()));
}

std::string Amount(std::int64_t minor) { return WithThousands(FormatMinorUnits(minor, kFractionDigits)); }

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
