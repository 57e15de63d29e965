#include "everfold/rpc/sql_service.h"

#include <utility>

#include "everfold/rpc/unary_call.h"
#include "everfold/v1/query_service.grpc.pb.h"

namespace everfold {
namespace {

SqlCell CellOf(const v1::SqlValue& value) {
  switch (value.kind_case()) {
    case v1::SqlValue::kInteger:
      return {ColumnType::kInteger, std::int64_t{value.integer()}};
    case v1::SqlValue::kReal:
      return {ColumnType::kReal, value.real()};
    case v1::SqlValue::kText:
      return {ColumnType::kText, value.text()};
    case v1::SqlValue::kBlob:
      return {ColumnType::kBlob, value.blob()};
    case v1::SqlValue::KIND_NOT_SET:
      return {};
  }
  return {};
}

void Fill(SqlCell& cell, v1::SqlValue& value) {
  if (IsNull(cell.value)) return;
  switch (cell.type) {
    case ColumnType::kInteger:
      return value.set_integer(std::get<std::int64_t>(cell.value));
    case ColumnType::kReal:
      return value.set_real(std::get<double>(cell.value));
    case ColumnType::kText:
      return value.set_text(std::move(std::get<std::string>(cell.value)));
    case ColumnType::kBlob:
      return value.set_blob(std::move(std::get<std::string>(cell.value)));
  }
}

SqlQuery QueryOf(const v1::SqlRequest& request) {
  SqlQuery query{.projection = request.projection(),
                 .sql = request.sql(),
                 .parameters = {},
                 .max_rows = static_cast<int>(request.max_rows())};
  for (const v1::SqlValue& value : request.parameters()) query.parameters.push_back(CellOf(value));
  return query;
}

void Fill(SqlResult& result, v1::SqlResponse& response) {
  for (std::string& column : result.columns) response.add_columns(std::move(column));
  for (std::vector<SqlCell>& row : result.rows) {
    v1::SqlResponse::Row& filled = *response.add_rows();
    for (SqlCell& cell : row) Fill(cell, *filled.add_values());
  }
  response.set_more(result.more);
}

class SqlService final : public RpcService, public v1::QueryService::CallbackService {
 public:
  explicit SqlService(QueryEngine& queries) : queries_(queries) {}

  const char* name() const override { return v1::QueryService::service_full_name(); }
  grpc::Service& service() override { return *this; }

  grpc::ServerUnaryReactor* Sql(grpc::CallbackServerContext* context, const v1::SqlRequest* request,
                                v1::SqlResponse* response) override {
    UnaryCall* const call = UnaryCall::Start();
    queries_.Sql(QueryOf(*request),
                 {.consistency_token = request->consistency_token(), .deadline = DeadlineOf(*context)},
                 [call, response](absl::StatusOr<SqlResult> result) {
                   if (result.ok()) Fill(*result, *response);
                   call->End(result.status());
                 });
    return call;
  }

  // Not its callers' to end, but nothing that a server waits for.
  void EndLongCalls() override { queries_.EndSql(); }

 private:
  QueryEngine& queries_;
};

}  // namespace

std::unique_ptr<RpcService> MakeSqlService(QueryEngine& queries) { return std::make_unique<SqlService>(queries); }

}  // namespace everfold
