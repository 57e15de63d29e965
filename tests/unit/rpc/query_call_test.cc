#include "everfold/rpc/query_call.h"

#include "everfold/base/error.h"
#include "tests/unit/rpc/counter.h"
#include "tests/unit/rpc/details.h"

namespace everfold {
namespace {

using testing::_;

class KeyText final : public ColumnWriter {
 public:
  void Integer(int, std::int64_t) override { ADD_FAILURE() << "the key is a text"; }
  void Real(int, double) override { ADD_FAILURE() << "the key is a text"; }
  void Text(int index, std::string_view value) override {
    EXPECT_EQ(index, 0);
    text = std::string(value);
  }
  void Blob(int, std::string_view) override { ADD_FAILURE() << "the key is a text"; }
  void Null(int) override { ADD_FAILURE() << "the key is a text"; }

  std::string text;
};

class TotalRow final : public ColumnReader {
 public:
  TotalRow(std::string id, std::int64_t total) : id_(std::move(id)), total_(total) {}
  bool IsNull(int) const override { return false; }
  std::int64_t Integer(int) const override { return total_; }
  double Real(int) const override { return 0; }
  std::string_view Text(int) const override { return id_; }
  std::string_view Blob(int) const override { return {}; }

 private:
  std::string id_;
  std::int64_t total_;
};

using QueryCallTest = CounterServerTest;

TEST_F(QueryCallTest, GetsTheRowOfTheKey) {
  KeyText key;
  std::string token;
  EXPECT_CALL(engine_, Get(_, _, _, _, _))
      .WillOnce([&](const ReadModelSchema& schema, QueryOptions options, QueryEngine::BindKey bind,
                    QueryEngine::VisitRow row, QueryEngine::GetDone done) {
        EXPECT_EQ(schema.table, "counter_total");
        token = options.consistency_token;
        bind(key);
        row(TotalRow("c1", 12));
        done(absl::OkStatus());
      });
  counter::v1::GetCounterTotalRequest request;
  request.set_counter_id("c1");
  request.set_consistency_token("token");
  counter::v1::GetCounterTotalResponse response;
  grpc::ClientContext context;
  const grpc::Status status = queries_->GetCounterTotal(&context, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(key.text, "c1");
  EXPECT_EQ(token, "token");
  EXPECT_EQ(response.counter_total().total(), 12);
}

TEST_F(QueryCallTest, PassesErrorsOnWithTheirDetails) {
  EXPECT_CALL(engine_, Get(_, _, _, _, _))
      .WillOnce([](const ReadModelSchema&, QueryOptions, QueryEngine::BindKey, QueryEngine::VisitRow,
                   QueryEngine::GetDone done) {
        absl::Status status = Error(absl::StatusCode::kNotFound, reason::kRowNotFound, "no such counter");
        AddResourceInfo(status, "counter.v1.CounterTotal", "c1");
        done(status);
      });
  counter::v1::GetCounterTotalResponse response;
  grpc::ClientContext context;
  const grpc::Status status = queries_->GetCounterTotal(&context, {}, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(status).reason(), "ROW_NOT_FOUND");
  EXPECT_EQ(DetailOf<google::rpc::ResourceInfo>(status).resource_name(), "c1");
}

TEST_F(QueryCallTest, ListsAPage) {
  ListOptions asked;
  EXPECT_CALL(engine_, List(_, _, _, _, _))
      .WillOnce([&](const ReadModelSchema&, QueryOptions, ListOptions list, QueryEngine::VisitRow row,
                    QueryEngine::ListDone done) {
        asked = list;
        row(TotalRow("c1", 1));
        row(TotalRow("c2", 2));
        done("next");
      });
  counter::v1::ListCounterTotalsRequest request;
  request.set_page_size(2);
  request.set_page_token("this");
  counter::v1::ListCounterTotalsResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(queries_->ListCounterTotals(&context, request, &response).ok());
  EXPECT_EQ(asked.page_size, 2);
  EXPECT_EQ(asked.page_token, "this");
  ASSERT_EQ(response.counter_totals_size(), 2);
  EXPECT_EQ(response.counter_totals(1).counter_id(), "c2");
  EXPECT_EQ(response.next_page_token(), "next");
}

}  // namespace
}  // namespace everfold
