#include "everfold/rpc/query_call.h"

#include <deque>

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
  void CannotWrite(int, std::string_view why) override { ADD_FAILURE() << why; }

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
  void CannotRead(int, std::string_view why) const override { ADD_FAILURE() << why; }

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
      .WillOnce([&](const ReadModelSchema&, QueryOptions, ListOptions list, QueryEngine::TakeRow take,
                    QueryEngine::ListDone done) {
        asked = list;
        EXPECT_EQ(take(TotalRow("c1", 1), 1000), 14u);  // {"c1", 1} as a message is of 6 bytes
        EXPECT_EQ(take(TotalRow("c2", 2), 14), 14u);
        EXPECT_EQ(take(TotalRow("c3", 3), 13), 14u) << "was not told that it did not fit";
        done("next");
      });
  counter::v1::ListCounterTotalsRequest request;
  request.set_page_size(2);
  request.set_page_token("this");
  request.set_filter("total > 0");
  request.set_order_by("total desc");
  counter::v1::ListCounterTotalsResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(queries_->ListCounterTotals(&context, request, &response).ok());
  EXPECT_EQ(asked.page_size, 2);
  EXPECT_EQ(asked.page_token, "this");
  EXPECT_EQ(asked.filter, "total > 0");
  EXPECT_EQ(asked.order_by, "total desc");
  ASSERT_EQ(response.counter_totals_size(), 2);
  EXPECT_EQ(response.counter_totals(1).counter_id(), "c2");
  EXPECT_EQ(response.next_page_token(), "next");
}

// What a watch asks of the engine, answered by the test. Watches read from threads of gRPC's, and of the test's hints.
class Watched {
 public:
  struct Asked {
    QueryOptions options;
    ListOptions list;
    QueryEngine::VisitRow row;
    QueryEngine::GetDone get_done;
    QueryEngine::ListDone list_done;
    QueryEngine::TakeRow take;
  };

  explicit Watched(MockQueryEngine& engine) {
    EXPECT_CALL(engine, WatchChanges(_, _)).WillOnce([this](const ReadModelSchema&, QueryEngine::ChangeHint hint) {
      MutexLock lock(&mutex_);
      hint_ = std::move(hint);
      return std::make_unique<Watch>(*this);
    });
  }
  void ExpectGets(MockQueryEngine& engine) {
    EXPECT_CALL(engine, Get(_, _, _, _, _))
        .WillRepeatedly([this](const ReadModelSchema&, QueryOptions options, QueryEngine::BindKey,
                               QueryEngine::VisitRow row, QueryEngine::GetDone done) {
          MutexLock lock(&mutex_);
          asked_.push_back({std::move(options), {}, std::move(row), std::move(done), nullptr, nullptr});
        });
  }
  void ExpectLists(MockQueryEngine& engine) {
    EXPECT_CALL(engine, List(_, _, _, _, _))
        .WillRepeatedly([this](const ReadModelSchema&, QueryOptions options, ListOptions list,
                               QueryEngine::TakeRow take, QueryEngine::ListDone done) {
          MutexLock lock(&mutex_);
          asked_.push_back({std::move(options), std::move(list), nullptr, nullptr, std::move(done), std::move(take)});
        });
  }

  // Waits for the next read.
  Asked Next() {
    MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](Watched* self) ABSL_NO_THREAD_SAFETY_ANALYSIS { return !self->asked_.empty(); }, this));
    Asked asked = std::move(asked_.front());
    asked_.pop_front();
    return asked;
  }
  bool Asks() {
    MutexLock lock(&mutex_);
    return !asked_.empty();
  }
  void Hint(const absl::Status& status = absl::OkStatus()) {
    QueryEngine::ChangeHint hint;
    {
      MutexLock lock(&mutex_);
      hint = hint_;
    }
    hint(status);
  }
  void AwaitEnd() {
    MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](Watched* self) ABSL_NO_THREAD_SAFETY_ANALYSIS { return self->ended_; }, this));
  }

 private:
  struct Watch final : QueryEngine::ChangeWatch {
    explicit Watch(Watched& w) : watched(w) {}
    ~Watch() override {
      MutexLock lock(&watched.mutex_);
      watched.ended_ = true;
    }
    Watched& watched;
  };

  Mutex mutex_;
  QueryEngine::ChangeHint hint_ ABSL_GUARDED_BY(mutex_);
  std::deque<Asked> asked_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

TEST_F(QueryCallTest, WatchSendsTheRowAndThenWhatIsAnotherOne) {
  Watched watched(engine_);
  watched.ExpectGets(engine_);
  counter::v1::WatchCounterTotalRequest request;
  request.set_counter_id("c1");
  request.set_consistency_token("token");
  grpc::ClientContext context;
  const auto stream = queries_->WatchCounterTotal(&context, request);
  counter::v1::WatchCounterTotalResponse response;

  Watched::Asked asked = watched.Next();
  EXPECT_EQ(asked.options.consistency_token, "token");
  asked.get_done(Error(absl::StatusCode::kNotFound, reason::kRowNotFound, "no such counter"));
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_FALSE(response.has_counter_total());

  watched.Hint();
  asked = watched.Next();
  EXPECT_EQ(asked.options.consistency_token, "");
  asked.row(TotalRow("c1", 1));
  asked.get_done(absl::OkStatus());
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.counter_total().total(), 1);

  watched.Hint();  // of something else
  asked = watched.Next();
  asked.row(TotalRow("c1", 1));
  asked.get_done(absl::OkStatus());
  watched.Hint();
  asked = watched.Next();
  asked.row(TotalRow("c1", 2));
  asked.get_done(absl::OkStatus());
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.counter_total().total(), 2);

  context.TryCancel();
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  watched.AwaitEnd();
}

TEST_F(QueryCallTest, HintsWhileAWatchReadsComeToOneMoreRead) {
  Watched watched(engine_);
  watched.ExpectGets(engine_);
  grpc::ClientContext context;
  const auto stream = queries_->WatchCounterTotal(&context, {});
  Watched::Asked asked = watched.Next();
  for (int i = 0; i < 100; ++i) watched.Hint();
  EXPECT_FALSE(watched.Asks());
  asked.row(TotalRow("c1", 1));
  asked.get_done(absl::OkStatus());
  counter::v1::WatchCounterTotalResponse response;
  ASSERT_TRUE(stream->Read(&response));
  asked = watched.Next();
  asked.row(TotalRow("c1", 9));
  asked.get_done(absl::OkStatus());
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.counter_total().total(), 9);
  EXPECT_FALSE(watched.Asks());
  context.TryCancel();
  (void)stream->Finish();
  watched.AwaitEnd();
}

TEST_F(QueryCallTest, WatchOfAListSendsItsFirstPage) {
  Watched watched(engine_);
  watched.ExpectLists(engine_);
  counter::v1::WatchCounterTotalsRequest request;
  request.set_page_size(2);
  request.set_filter("total > 0");
  request.set_order_by("total desc");
  grpc::ClientContext context;
  const auto stream = queries_->WatchCounterTotals(&context, request);
  Watched::Asked asked = watched.Next();
  EXPECT_EQ(asked.list.page_size, 2);
  EXPECT_EQ(asked.list.filter, "total > 0");
  EXPECT_EQ(asked.list.order_by, "total desc");
  EXPECT_EQ(asked.take(TotalRow("c1", 2), 1000), 14u);
  EXPECT_EQ(asked.take(TotalRow("c2", 1), 1000), 14u);
  asked.list_done("next");
  counter::v1::WatchCounterTotalsResponse response;
  ASSERT_TRUE(stream->Read(&response));
  ASSERT_EQ(response.counter_totals_size(), 2);
  EXPECT_EQ(response.counter_totals(1).counter_id(), "c2");
  EXPECT_TRUE(response.more());
  watched.Hint();
  watched.Next().list_done("");
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.counter_totals_size(), 0);
  EXPECT_FALSE(response.more());
  context.TryCancel();
  (void)stream->Finish();
  watched.AwaitEnd();
}

TEST_F(QueryCallTest, WatchEndsWithTheErrorOfARead) {
  Watched watched(engine_);
  watched.ExpectLists(engine_);
  grpc::ClientContext context;
  const auto stream = queries_->WatchCounterTotals(&context, {});
  watched.Next().list_done(Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid, "filter, at 1: no"));
  counter::v1::WatchCounterTotalsResponse response;
  EXPECT_FALSE(stream->Read(&response));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(status).reason(), "REQUEST_INVALID");
  watched.AwaitEnd();
}

TEST_F(QueryCallTest, WatchEndsWhenItsProjectionStopsAndWhenTheServerDoes) {
  {
    Watched watched(engine_);
    watched.ExpectGets(engine_);
    grpc::ClientContext context;
    const auto stream = queries_->WatchCounterTotal(&context, {});
    watched.Next().get_done(absl::OkStatus());
    watched.Hint(Error(absl::StatusCode::kUnavailable, reason::kReadModelStopped, "stopped"));
    counter::v1::WatchCounterTotalResponse response;
    while (stream->Read(&response)) {
    }
    EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(stream->Finish()).reason(), "READ_MODEL_STOPPED");
    watched.AwaitEnd();
  }
  Watched watched(engine_);
  watched.ExpectGets(engine_);
  grpc::ClientContext context;
  const auto stream = queries_->WatchCounterTotal(&context, {});
  watched.Next().get_done(absl::OkStatus());
  counter::v1::WatchCounterTotalResponse response;
  ASSERT_TRUE(stream->Read(&response));
  server_->Shutdown(absl::InfiniteFuture());
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(stream->Finish()).reason(), "SHUTTING_DOWN");
  watched.AwaitEnd();
}

TEST_F(QueryCallTest, WatchThatIsRefusedEnds) {
  EXPECT_CALL(engine_, WatchChanges(_, _)).WillOnce([](const ReadModelSchema&, QueryEngine::ChangeHint) {
    return Error(absl::StatusCode::kResourceExhausted, reason::kOverloaded, "1000 watches are under way");
  });
  grpc::ClientContext context;
  const auto stream = queries_->WatchCounterTotal(&context, {});
  counter::v1::WatchCounterTotalResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

}  // namespace
}  // namespace everfold
