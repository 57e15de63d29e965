// Real threads: queries read while the projection commits and the store appends.
#include <algorithm>
#include <atomic>
#include <future>

#include "everfold/base/clock.h"
#include "everfold/query/query_engine.h"
#include "everfold/runtime/asio_executor.h"
#include "gtest/gtest.h"
#include "tests/unit/projection/ledger.h"

namespace everfold {
namespace {

using BalanceTraits = ReadModelTraits<Balance>;

// Every event is booked twice, so the sum over all rows is zero at any moment that a query may see.
struct DoubleEntry {
  static constexpr ProjectionOptions kOptions{.name = "double_entry", .revision = 1};
  using Events = Types<Credited>;
  using ReadModels = Tables<Balance>;
  static void On(const Credited& e, const EventContext& c, ReadModels& t) {
    t.Of<Balance>().Edit(c.id, [&e](Balance& row) { row.minor += e.value(); });
    t.Of<Balance>().Edit("bank", [&e](Balance& row) { row.minor -= e.value(); });
  }
};

class QueryConcurrencyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto store = EventStore::Open({}, log_, executor_, clock_, random_);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
    auto projection = Projection::Open({.directory = folder_.path(), .max_batch_events = 8},
                                       MakeProjectionType<DoubleEntry>(), *store_, executor_);
    ASSERT_TRUE(projection.ok()) << projection.status();
    projection_ = *std::move(projection);
    auto engine =
        QueryEngine::Create({projection_.get()}, executor_, clock_,
                            {.make_readers = [](int threads) { return std::make_unique<AsioExecutor>(threads); }});
    ASSERT_TRUE(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
    projection_->Start();
  }
  void TearDown() override { Close(); }

  // Readers first, each destroyed as soon as it is closed.
  void Close() {
    if (engine_ == nullptr) return;
    Await([this](Task done) { engine_->Close(std::move(done)); });
    engine_.reset();
    Await([this](Task done) { projection_->Close(std::move(done)); });
    projection_.reset();
    Await([this](Task done) { store_->Close(std::move(done)); });
    executor_.Join();
  }

  template <class F>
  static void Await(F close) {
    std::promise<void> closed;
    close([&closed] { closed.set_value(); });
    closed.get_future().wait();
  }

  AppendRequest Credit(const std::string& account) {
    AppendRequest request;
    request.streams.push_back({.stream = {.tenant = "", .aggregate = "account", .id = account},
                               .expectation = StreamExpectation::Any(),
                               .events = {EventOf<Credited>(1)}});
    return request;
  }

  // One writer's chain: append, read the own write, list everything, and again, until nothing is left to do.
  void Run(const std::string& account, int left, std::int64_t written = 0) {
    if (left == 0) return finished_.set_value();
    store_->Append(Credit(account), [=, this](absl::StatusOr<AppendResult> result) {
      if (!result.ok()) return Fail(result.status());
      ReadOwnWrite(account, left, written + 1, EncodeToken(TokenOf(*store_, *result)));
    });
  }
  void ReadOwnWrite(const std::string& account, int left, std::int64_t written, const std::string& token) {
    auto row = std::make_shared<Balance>();
    engine_->Get(
        BalanceTraits::Schema(), {.consistency_token = token}, [=](ColumnWriter& out) { out.Text(0, account); },
        [=](const ColumnReader& in) { BalanceTraits::Read(in, *row); },
        [=, this](absl::Status status) {
          if (!status.ok()) return Fail(status);
          if (row->minor != written) wrong_rows_.fetch_add(1);
          ReadAtOnce(account, left, written);
        });
  }
  // On this thread where a connection is idle: what was seen once stays seen.
  void ReadAtOnce(const std::string& account, int left, std::int64_t written) {
    auto row = std::make_shared<Balance>();
    engine_->Get(
        BalanceTraits::Schema(), {.within_call = true}, [=](ColumnWriter& out) { out.Text(0, account); },
        [=](const ColumnReader& in) { BalanceTraits::Read(in, *row); },
        [=, this](absl::Status status) {
          if (!status.ok()) return Fail(status);
          if (row->minor != written) wrong_rows_.fetch_add(1);
          ListAll(account, left, written);
        });
  }
  void ListAll(const std::string& account, int left, std::int64_t written) {
    auto sum = std::make_shared<std::int64_t>(0);
    engine_->List(
        BalanceTraits::Schema(), {}, {.page_size = 1000},
        [sum](const ColumnReader& in, std::size_t) {
          *sum += in.Integer(1);
          return std::size_t{1};
        },
        [=, this](absl::StatusOr<std::string> next) {
          if (!next.ok()) return Fail(next.status());
          if (*sum != 0) wrong_sums_.fetch_add(1);
          lists_.fetch_add(1);
          RunNext(account, until_enough_ ? std::max(left - 1, 1) : left - 1, written);
        });
  }
  void RunNext(const std::string& account, int left, std::int64_t written) {
    if (until_enough_ && left <= 1) {
      if (!enough_) return ListAll(account, 1, written);  // only reads any more
      left = 0;
    }
    if (left == 0 && writers_.fetch_sub(1) != 1) return;
    Run(account, left, written);
  }
  // Builds a new version, swaps it in, and so on.
  void Swap(int left) {
    projection_->Rebuild([this, left](absl::Status status) {
      if (!status.ok()) ADD_FAILURE() << status;
      if (!status.ok() || left == 1) {
        enough_ = true;
      } else {
        Swap(left - 1);
      }
    });
  }
  void Fail(const absl::Status& status) {
    ADD_FAILURE() << status;
    if (!failed_.exchange(true)) finished_.set_value();
  }

  TemporaryFolder folder_;
  SystemClock clock_;
  SeededRandom random_{1};
  AsioExecutor executor_{4};
  MemoryLog log_{std::make_shared<MemoryLogStorage>(
                     LogIdentity{.epoch = {std::string(16, 'e')}, .partitions = 4, .key = std::string(32, 'k')}),
                 executor_};
  std::unique_ptr<EventStore> store_;
  std::unique_ptr<Projection> projection_;
  std::unique_ptr<QueryEngine> engine_;
  std::promise<void> finished_;
  std::atomic<bool> failed_ = false;
  std::atomic<bool> until_enough_ = false;
  std::atomic<bool> enough_ = false;
  std::atomic<int> writers_ = 0;
  std::atomic<int> lists_ = 0;
  std::atomic<int> wrong_rows_ = 0;
  std::atomic<int> wrong_sums_ = 0;
};

TEST_F(QueryConcurrencyTest, ReadersSeeTheirWritesAndWholeTransactions) {
  constexpr int kWriters = 12;
  constexpr int kRounds = 40;
  writers_ = kWriters;
  for (int i = 0; i < kWriters; ++i) Run(absl::StrFormat("a%d", i), kRounds);
  finished_.get_future().wait();
  EXPECT_EQ(wrong_rows_, 0);
  EXPECT_EQ(wrong_sums_, 0);
  EXPECT_EQ(lists_, kWriters * kRounds);
  EXPECT_EQ(projection_->lag_events(), 0u);
  EXPECT_TRUE(projection_->status().ok()) << projection_->status();
}

// A connection to a file that is not queried any more ends its query; none is refused, and none goes back in time.
TEST_F(QueryConcurrencyTest, QueriesThroughAHundredSwapsSeeTheOldOrTheNewOne) {
  constexpr int kWriters = 3;
  constexpr int kSwaps = 100;
  writers_ = kWriters;
  until_enough_ = true;
  Swap(kSwaps);
  for (int i = 0; i < kWriters; ++i) Run(absl::StrFormat("a%d", i), 50);
  finished_.get_future().wait();
  EXPECT_EQ(wrong_rows_, 0);
  EXPECT_EQ(wrong_sums_, 0);
  EXPECT_GT(lists_, kSwaps / 4);
  EXPECT_EQ(projection_->Describe().version, kSwaps + 1u);
  EXPECT_TRUE(projection_->status().ok()) << projection_->status();
}

TEST_F(QueryConcurrencyTest, CloseWhileHintsComeIsClean) {
  std::atomic<int> appended = 0;
  for (int i = 0; i < 200; ++i) {
    store_->Append(Credit("a"), [&appended](absl::StatusOr<AppendResult> result) {
      if (result.ok()) appended.fetch_add(1);
    });
  }
  Close();
  EXPECT_EQ(appended, 200);
}

}  // namespace
}  // namespace everfold
