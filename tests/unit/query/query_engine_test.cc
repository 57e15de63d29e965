#include "everfold/query/query_engine.h"

#include <filesystem>
#include <fstream>

#include "everfold/base/error.h"
#include "everfold/projection/sqlite.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"
#include "tests/unit/projection/file_size_limit.h"
#include "tests/unit/projection/ledger.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using BalanceTraits = ReadModelTraits<Balance>;

struct PageOfBalances {
  std::vector<std::string> rows;
  std::string next;
};

class QueryEngineTest : public ::testing::Test {
 protected:
  // A query's answer, once it is there.
  template <class T>
  using Pending = std::shared_ptr<std::optional<absl::StatusOr<T>>>;

  void SetUp() override {
    ASSERT_TRUE(ledger_.OpenProjection().ok());
    auto created = QueryEngine::Create({&ledger_.projection()}, ledger_.executor(), ledger_.executor().clock());
    ASSERT_TRUE(created.ok()) << created.status();
    engine_ = *std::move(created);
  }
  void TearDown() override {
    ledger_.Crash();  // before the engine goes: its queries are gone, too
  }

  Pending<Balance> Ask(const std::string& account, QueryOptions options = {}) {
    auto pending = std::make_shared<std::optional<absl::StatusOr<Balance>>>();
    auto row = std::make_shared<Balance>();
    engine_->Get(
        BalanceTraits::Schema(), std::move(options), [account](ColumnWriter& out) { out.Text(0, account); },
        [row](const ColumnReader& in) { BalanceTraits::Read(in, *row); },
        [pending, row](absl::Status status) {
          ASSERT_FALSE(pending->has_value()) << "answered twice";
          status.ok() ? pending->emplace(*row) : pending->emplace(std::move(status));
        });
    EXPECT_FALSE(pending->has_value()) << "answered within the call";
    return pending;
  }
  absl::StatusOr<Balance> Get(const std::string& account, QueryOptions options = {}) {
    const auto pending = Ask(account, std::move(options));
    ledger_.executor().RunUntilIdle();
    return pending->has_value() ? **pending : absl::InternalError("not answered");
  }
  absl::StatusOr<PageOfBalances> List(ListOptions list, QueryOptions options = {}) {
    absl::StatusOr<PageOfBalances> page = absl::InternalError("not answered");
    auto rows = std::make_shared<std::vector<std::string>>();
    engine_->List(
        BalanceTraits::Schema(), std::move(options), std::move(list),
        [rows, bytes = bytes_a_row_](const ColumnReader& in, std::size_t room) {
          if (bytes <= room) rows->emplace_back(in.Text(0));
          return bytes;
        },
        [&page, rows](absl::StatusOr<std::string> next) {
          page = next.ok() ? absl::StatusOr<PageOfBalances>(PageOfBalances{*rows, *next}) : next.status();
        });
    ledger_.executor().RunUntilIdle();
    return page;
  }
  absl::StatusOr<SqlResult> Sql(SqlQuery query, QueryOptions options = {}) {
    absl::StatusOr<SqlResult> answer = absl::InternalError("not answered");
    engine_->Sql(std::move(query), std::move(options),
                 [&answer](absl::StatusOr<SqlResult> result) { answer = std::move(result); });
    ledger_.executor().RunUntilIdle();
    return answer;
  }
  // One commit.
  ConsistencyToken Append(const std::vector<std::pair<std::string, std::vector<NewEvent>>>& accounts) {
    AppendRequest request;
    for (const auto& [account, events] : accounts) {
      request.streams.push_back({.stream = {.tenant = "", .aggregate = "account", .id = account},
                                 .expectation = StreamExpectation::Any(),
                                 .events = events});
    }
    absl::StatusOr<AppendResult> appended = absl::InternalError("not answered");
    ledger_.store().Append(std::move(request),
                           [&appended](absl::StatusOr<AppendResult> result) { appended = std::move(result); });
    ledger_.executor().RunUntilIdle();
    EXPECT_TRUE(appended.ok()) << appended.status();
    return TokenOf(ledger_.store(), *appended);
  }
  PageOfBalances GoodPage(ListOptions list) {
    auto page = List(std::move(list));
    EXPECT_TRUE(page.ok()) << page.status();
    return page.value_or(PageOfBalances{});
  }
  QueryOptions After(const ConsistencyToken& token) { return {.consistency_token = EncodeToken(token)}; }
  void Follow() {
    ledger_.projection().Start();
    ledger_.executor().RunUntilIdle();
  }
  static void ExpectError(const absl::Status& status, absl::StatusCode code, const char* reason,
                          const std::string& text) {
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_EQ(ReasonOf(status), reason);
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  }

  std::size_t bytes_a_row_ = 1;
  std::unique_ptr<QueryEngine> engine_;
  Ledger ledger_;
};

TEST_F(QueryEngineTest, GetsTheRowOfAKey) {
  ledger_.Credit("a", 5);
  ledger_.Credit("b", 6);
  Follow();
  const auto row = Get("b");
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(*row, (Balance{"b", 6, 1}));
}

TEST_F(QueryEngineTest, EmptyKeyIsShown) {
  Follow();
  ExpectError(Get("").status(), absl::StatusCode::kNotFound, reason::kRowNotFound,
              "there is no ledger.v1.Balance with the key \"\"");
}

TEST_F(QueryEngineTest, WhileADamagedFileIsBuiltAnewItIsUnavailable) {
  ledger_.Credit("a", 5);
  Follow();
  const std::string path = ledger_.projection().path();
  engine_->Close([] {});
  ledger_.CloseProjection();
  engine_.reset();
  std::ofstream(path) << std::string(8192, 'x');
  const ConsistencyToken token = ledger_.Credit("a", 6);
  SetUp();
  const std::string why = path + ": SQLite: file is not a database (extended code 26)";
  const absl::Status status = Get("a").status();
  ExpectError(status, absl::StatusCode::kUnavailable, reason::kReadModelRebuilding,
              "projection balances is being built anew, 2 events behind, because " + why);
  google::rpc::RetryInfo retry;
  EXPECT_TRUE(FindDetail(status, retry));
  const auto waits = Ask("a", After(token));
  ledger_.executor().Advance(QueryEngine::kMaxWait);
  ASSERT_TRUE(waits->has_value());
  ExpectError((*waits)->status(), absl::StatusCode::kUnavailable, reason::kReadModelBehind,
              "it is 2 events behind, and being built anew, because " + why);
  Follow();
  EXPECT_EQ(Get("a", After(token)).value(), (Balance{"a", 11, 2}));
}

TEST_F(QueryEngineTest, KeyWithoutARowIsNotFound) {
  Follow();
  const absl::Status status = Get("nobody").status();
  ExpectError(status, absl::StatusCode::kNotFound, reason::kRowNotFound,
              "there is no ledger.v1.Balance with the key nobody");
  google::rpc::ResourceInfo resource;
  ASSERT_TRUE(FindDetail(status, resource));
  EXPECT_EQ(resource.resource_type(), "ledger.v1.Balance");
  EXPECT_EQ(resource.resource_name(), "nobody");
}

TEST_F(QueryEngineTest, KeyIsNeverSql) {
  ledger_.Credit("a", 5);
  Follow();
  EXPECT_EQ(Get("' OR '1' = '1").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Get("a'; DROP TABLE balance; --").status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(Get("a").ok());
}

TEST_F(QueryEngineTest, EmptyTableIsReadBeforeTheProjectionHasRun) {
  ledger_.Credit("a", 5);
  EXPECT_EQ(Get("a").status().code(), absl::StatusCode::kNotFound);
  const PageOfBalances page = GoodPage({});
  EXPECT_THAT(page.rows, IsEmpty());
  EXPECT_EQ(page.next, "");
}

TEST_F(QueryEngineTest, ReadModelOfNoProjectionIsUnimplemented) {
  ReadModelSchema other = BalanceTraits::Schema();
  other.message = "ledger.v1.Turnover";
  std::optional<absl::Status> answer;
  engine_->Get(
      other, {}, [](ColumnWriter&) {}, [](const ColumnReader&) {}, [&answer](absl::Status s) { answer = s; });
  ledger_.executor().RunUntilIdle();
  ASSERT_TRUE(answer.has_value());
  ExpectError(*answer, absl::StatusCode::kUnimplemented, reason::kUnknownType,
              "no projection of this application has the read model ledger.v1.Turnover");
}

TEST_F(QueryEngineTest, RefusesTwoProjectionsWithOneReadModel) {
  ProjectionType second = MakeProjectionType<Balances>();
  second.name = "saldos";
  const auto other = Projection::Open({.directory = ledger_.directory()}, second, ledger_.store(), ledger_.executor());
  ASSERT_TRUE(other.ok()) << other.status();
  const auto engine =
      QueryEngine::Create({&ledger_.projection(), other->get()}, ledger_.executor(), ledger_.executor().clock());
  ExpectError(engine.status(), absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
              "read model ledger.v1.Balance belongs to two projections, balances and saldos");
}

TEST_F(QueryEngineTest, PagesFollowEachOtherInTheOrderOfTheKey) {
  for (const char* account : {"e", "b", "d", "a", "c"}) ledger_.Credit(account, 1);
  Follow();
  const PageOfBalances first = GoodPage({.page_size = 2});
  EXPECT_THAT(first.rows, ElementsAre("a", "b"));
  const PageOfBalances second = GoodPage({.page_size = 2, .page_token = first.next});
  EXPECT_THAT(second.rows, ElementsAre("c", "d"));
  const PageOfBalances third = GoodPage({.page_size = 2, .page_token = second.next});
  EXPECT_THAT(third.rows, ElementsAre("e"));
  EXPECT_EQ(third.next, "");
  EXPECT_THAT(GoodPage({.page_size = 2, .page_token = first.next}).rows, ElementsAre("c", "d"));
}

TEST_F(QueryEngineTest, FullLastPageHasNoNextOne) {
  for (const char* account : {"a", "b", "c", "d"}) ledger_.Credit(account, 1);
  Follow();
  const PageOfBalances first = GoodPage({.page_size = 2});
  const PageOfBalances second = GoodPage({.page_size = 2, .page_token = first.next});
  EXPECT_THAT(second.rows, ElementsAre("c", "d"));
  EXPECT_EQ(second.next, "");
}

TEST_F(QueryEngineTest, PagesOverChangingRowsRepeatAndLeaveOutNone) {
  for (const char* account : {"b", "d", "f", "h"}) ledger_.Credit(account, 1);
  Follow();
  const PageOfBalances first = GoodPage({.page_size = 2});
  EXPECT_THAT(first.rows, ElementsAre("b", "d"));
  ledger_.Credit("a", 1);  // before the place
  ledger_.Credit("d", 1);  // at the place
  ledger_.Credit("e", 1);  // behind it
  ledger_.executor().RunUntilIdle();
  const PageOfBalances second = GoodPage({.page_size = 2, .page_token = first.next});
  EXPECT_THAT(second.rows, ElementsAre("e", "f"));
  EXPECT_THAT(GoodPage({.page_size = 2, .page_token = second.next}).rows, ElementsAre("h"));
}

TEST_F(QueryEngineTest, PageBeginsBehindAKeyThatIsGone) {
  static int removed;
  removed = 0;
  ledger_.CloseProjection();
  ProjectionType type = MakeProjectionType<Balances>();
  type.handlers[EventTraits<Debited>::kName] = {[](std::string_view, const EventContext& c, RowStore& rows) {
    Tables<Balance>(rows).Of<Balance>().Remove(c.id);
    ++removed;
    return true;
  }};
  ASSERT_TRUE(ledger_.OpenProjection(type).ok());
  engine_ = *QueryEngine::Create({&ledger_.projection()}, ledger_.executor(), ledger_.executor().clock());
  for (const char* account : {"a", "b", "c", "d"}) ledger_.Credit(account, 1);
  Follow();
  const PageOfBalances first = GoodPage({.page_size = 2});
  ledger_.Debit("b", 1);
  ledger_.Debit("c", 1);
  ledger_.executor().RunUntilIdle();
  EXPECT_EQ(removed, 2);
  EXPECT_THAT(GoodPage({.page_size = 2, .page_token = first.next}).rows, ElementsAre("d"));
}

TEST_F(QueryEngineTest, PageSizeIsOneHundredUnlessToldAndAtMostOneThousand) {
  for (int i = 0; i < 1100; ++i) ledger_.Credit(absl::StrFormat("a%04d", i), 1);
  Follow();
  EXPECT_EQ(GoodPage({}).rows.size(), 100u);
  EXPECT_EQ(GoodPage({.page_size = 1}).rows.size(), 1u);
  EXPECT_EQ(GoodPage({.page_size = 1000}).rows.size(), 1000u);
  const PageOfBalances largest = GoodPage({.page_size = 2147483647});
  EXPECT_EQ(largest.rows.size(), 1000u);
  EXPECT_EQ(GoodPage({.page_size = 2147483647, .page_token = largest.next}).rows.size(), 100u);
}

// Of the rows as messages, which only who takes them knows.
TEST_F(QueryEngineTest, PageHasNoMoreBytesThanFitUnlessOneRowDoes) {
  for (const char* account : {"a", "b", "c"}) ledger_.Credit(account, 1);
  Follow();
  bytes_a_row_ = kMaxPageBytes / 2;
  const PageOfBalances first = GoodPage({});
  EXPECT_THAT(first.rows, ElementsAre("a", "b"));
  EXPECT_THAT(GoodPage({.page_token = first.next}).rows, ElementsAre("c"));
  bytes_a_row_ = kMaxPageBytes / 2 + 1;
  EXPECT_THAT(GoodPage({}).rows, ElementsAre("a"));
  bytes_a_row_ = 2 * kMaxPageBytes;
  const PageOfBalances large = GoodPage({});
  EXPECT_THAT(large.rows, ElementsAre("a"));
  EXPECT_THAT(GoodPage({.page_token = large.next}).rows, ElementsAre("b"));
}

TEST_F(QueryEngineTest, ListsWhatTheFilterLetsThroughInTheOrderAskedFor) {
  for (const char* account : {"e", "b", "d", "a", "c"}) ledger_.Credit(account, 1);
  Follow();
  const ListOptions asked{.page_size = 2, .filter = "account > \"a\"", .order_by = "account desc"};
  ListOptions list = asked;
  const PageOfBalances first = GoodPage(list);
  EXPECT_THAT(first.rows, ElementsAre("e", "d"));
  list.page_token = first.next;
  const PageOfBalances second = GoodPage(list);
  EXPECT_THAT(second.rows, ElementsAre("c", "b"));
  EXPECT_EQ(second.next, "");
}

TEST_F(QueryEngineTest, PageTokenOfAnotherFilterOrOrderIsRefused) {
  for (const char* account : {"a", "b", "c"}) ledger_.Credit(account, 1);
  Follow();
  const PageOfBalances first = GoodPage({.page_size = 1, .filter = "account > \"\""});
  const std::string text = "page_token is of a list with another filter or order_by";
  ExpectError(List({.page_size = 1, .page_token = first.next}).status(), absl::StatusCode::kInvalidArgument,
              reason::kRequestInvalid, text);
  ExpectError(List({.page_size = 1, .page_token = first.next, .filter = "account > \"a\""}).status(),
              absl::StatusCode::kInvalidArgument, reason::kRequestInvalid, text);
  ExpectError(
      List({.page_size = 1, .page_token = first.next, .filter = "account > \"\"", .order_by = "account"}).status(),
      absl::StatusCode::kInvalidArgument, reason::kRequestInvalid, text);
}

TEST_F(QueryEngineTest, FilterAndOrderThatAreNoneAreRefusedWithTheFieldsThatThereAre) {
  ledger_.Credit("a", 1);
  Follow();
  ExpectError(List({.filter = "events > 0"}).status(), absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
              "filter, at 1: there is no field \"events\" to filter by; there are: account, minor");
  ExpectError(List({.order_by = "account, 1"}).status(), absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
              "order_by, at 10: there is no field \"1\" to order by; there are: account, minor");
  EXPECT_THAT(GoodPage({.filter = "account = \"' OR '1' = '1\""}).rows, IsEmpty());
  EXPECT_THAT(GoodPage({.filter = "account = \"a'; DROP TABLE balance; --\""}).rows, IsEmpty());
  EXPECT_THAT(GoodPage({}).rows, ElementsAre("a"));
}

TEST_F(QueryEngineTest, NegativePageSizeIsRefused) {
  ExpectError(List({.page_size = -1}).status(), absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
              "page_size is -1; it must be 0 (for 100) or more");
}

TEST_F(QueryEngineTest, PageTokenThatIsNoneIsRefused) {
  ExpectError(List({.page_size = 1, .page_token = "page 2"}).status(), absl::StatusCode::kInvalidArgument,
              reason::kRequestInvalid, "page_token is not one that a list returned");
}

TEST_F(QueryEngineTest, TokenThatIsReachedDoesNotWait) {
  const ConsistencyToken token = ledger_.Credit("a", 5);
  Follow();
  const auto row = Get("a", After(token));
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->minor, 5);
}

TEST_F(QueryEngineTest, QueryWaitsForItsTokenAndSeesTheWrite) {
  const auto get = Ask("a", After(ledger_.Credit("a", 5)));
  ledger_.executor().RunUntilIdle();
  EXPECT_FALSE(get->has_value());
  Follow();
  ASSERT_TRUE(get->has_value());
  ASSERT_TRUE((*get)->ok()) << (*get)->status();
  EXPECT_EQ((**get)->minor, 5);
  ledger_.executor().Advance(absl::Seconds(20));  // the timer of the wait is gone
}

TEST_F(QueryEngineTest, ListWaitsForItsTokenToo) {
  const ConsistencyToken token = ledger_.Credit("a", 5);
  ledger_.projection().Start();
  const auto page = List({}, After(token));
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(page->rows, ElementsAre("a"));
}

TEST_F(QueryEngineTest, TokenThatIsNotReachedInTenSecondsIsUnavailableWithTheLag) {
  ledger_.Trade(5);
  const auto get = Ask("a", After(ledger_.Credit("a", 5)));
  ledger_.executor().Advance(absl::Seconds(10) - absl::Nanoseconds(1));
  EXPECT_FALSE(get->has_value());
  ledger_.executor().Advance(absl::Nanoseconds(1));
  ASSERT_TRUE(get->has_value());
  const absl::Status status = (*get)->status();
  ExpectError(status, absl::StatusCode::kUnavailable, reason::kReadModelBehind,
              "projection balances has not reached the consistency token; it is 9 events behind");
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(FindDetail(status, info));
  EXPECT_EQ(info.metadata().at("lag_events"), "9");
  google::rpc::RetryInfo retry;
  EXPECT_TRUE(FindDetail(status, retry));
  Follow();  // does not answer it again
}

TEST_F(QueryEngineTest, DeadlineEndsTheWaitEarlier) {
  QueryOptions options = After(ledger_.Credit("a", 5));
  options.deadline = ledger_.executor().clock().Now() + absl::Seconds(2);
  const auto get = Ask("a", options);
  ledger_.executor().Advance(absl::Seconds(1));
  EXPECT_FALSE(get->has_value());
  ledger_.executor().Advance(absl::Seconds(1));
  ASSERT_TRUE(get->has_value());
  EXPECT_EQ(ReasonOf((*get)->status()), reason::kReadModelBehind);
}

TEST_F(QueryEngineTest, DeadlineThatWasOverIsDeadlineExceeded) {
  const absl::Status status = Get("a", {.deadline = ledger_.executor().clock().Now()}).status();
  ExpectError(status, absl::StatusCode::kDeadlineExceeded, reason::kDeadlineExceeded,
              "the deadline was over before the query began");
}

TEST_F(QueryEngineTest, QueryWhoseDeadlinePassesInTheQueueIsNotRun) {
  ledger_.Credit("a", 5);
  Follow();
  const auto get = Ask("a", {.deadline = ledger_.executor().clock().Now() + absl::Seconds(1)});
  ledger_.executor().clock().Advance(absl::Seconds(1));
  ledger_.executor().RunUntilIdle();
  ASSERT_TRUE(get->has_value());
  EXPECT_EQ(ReasonOf((*get)->status()), reason::kDeadlineExceeded);
}

TEST_F(QueryEngineTest, TokenOfAnotherHistoryIsRefused) {
  ConsistencyToken token = ledger_.Credit("a", 5);
  token.epoch.bytes[0] ^= 1;
  ExpectError(Get("a", After(token)).status(), absl::StatusCode::kFailedPrecondition, reason::kOtherHistory,
              "consistency_token is of another history");
}

TEST_F(QueryEngineTest, TokenThatIsNoneIsRefused) {
  ExpectError(Get("a", {.consistency_token = "yesterday"}).status(), absl::StatusCode::kInvalidArgument,
              reason::kRequestInvalid, "consistency_token is not one that a receipt carried");
}

TEST_F(QueryEngineTest, TokenWithAPartitionThatIsNoneIsRefused) {
  ConsistencyToken token = ledger_.Credit("a", 5);
  token.positions[0].partition = PartitionId(Ledger::kPartitions);
  ExpectError(Get("a", After(token)).status(), absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
              "consistency_token names partition 4 of 4");
}

// Nobody was given it, or the log has lost what it acknowledged: it would be waited for in vain.
TEST_F(QueryEngineTest, TokenBeyondTheLogIsRefusedAtOnce) {
  ConsistencyToken token = ledger_.Credit("a", 5);
  token.positions[0].offset = token.positions[0].offset.Next();
  const std::string text = absl::StrFormat("consistency_token names event 2 of partition %d, whose durable head is 1",
                                           token.positions[0].partition.value());
  ExpectError(Get("a", After(token)).status(), absl::StatusCode::kOutOfRange, reason::kBeyondHead, text);
  ExpectError(List({}, After(token)).status(), absl::StatusCode::kOutOfRange, reason::kBeyondHead, text);
  ExpectError(Sql({.projection = "balances", .sql = "SELECT 1"}, After(token)).status(), absl::StatusCode::kOutOfRange,
              reason::kBeyondHead, text);
}

TEST_F(QueryEngineTest, TokenWithoutPositionsIsReached) {
  ledger_.Credit("a", 5);
  Follow();
  const ConsistencyToken token{.epoch = ledger_.projection().checkpoint().epoch, .positions = {}};
  EXPECT_TRUE(Get("a", After(token)).ok());
}

// Who has written what waits is not told that it is so.
TEST_F(QueryEngineTest, TokenOfAParkedEventIsRefused) {
  const ConsistencyToken reached = ledger_.Credit("a", 5);
  Follow();
  NewEvent broken = EventOf<Credited>(1);
  broken.payload = "\xff";
  const ConsistencyToken failed = ledger_.Append("a", {broken});
  const ConsistencyToken behind = ledger_.Credit("a", 1);
  const ConsistencyToken other = ledger_.Credit("b", 1);
  for (const ConsistencyToken& token : {failed, behind}) {
    ExpectError(Get("a", After(token)).status(), absl::StatusCode::kFailedPrecondition, reason::kEventParked,
                "the event that consistency_token names could not be handled by projection balances");
  }
  EXPECT_EQ(Get("a", After(reached)).value_or(Balance{}).minor, 5);
  EXPECT_EQ(Get("b", After(other)).value_or(Balance{}).minor, 1);
  EXPECT_EQ(Get("a").value_or(Balance{}).minor, 5);
}

// The token names the last event of the write in each partition, which need not be the one that waits.
TEST_F(QueryEngineTest, TokenOfAWriteOfWhichAnyEventIsParkedIsRefused) {
  Follow();
  NewEvent broken = EventOf<Credited>(1);
  broken.payload = "\xff";
  const NewEvent noted{.type = kNoted, .fingerprint = "", .payload = "x", .event_time = {}, .tags = {}};
  const ConsistencyToken before = ledger_.Credit("a", 5);
  const ConsistencyToken with_other = ledger_.Append("a", {broken, noted});
  ExpectError(Get("a", After(with_other)).status(), absl::StatusCode::kFailedPrecondition, reason::kEventParked,
              "could not be handled by projection balances");
  EXPECT_EQ(Get("a", After(before)).value_or(Balance{}).minor, 5);

  const ConsistencyToken both = Append({{"x{p}", {broken}}, {"y{p}", {EventOf<Credited>(7)}}});
  ASSERT_EQ(both.positions.size(), 1u) << "both streams are meant to be in one partition";
  for (const char* account : {"x{p}", "y{p}"}) {
    EXPECT_EQ(ReasonOf(Get(account, After(both)).status()), reason::kEventParked) << account;
  }
  // What else is in the partition is of other writes.
  EXPECT_EQ(Get("z{p}", After(ledger_.Credit("z{p}", 2))).value_or(Balance{}).minor, 2);
  EXPECT_EQ(ReasonOf(Sql({.projection = "balances", .sql = "SELECT 1"}, After(both)).status()), reason::kEventParked);
  EXPECT_TRUE(Sql({.projection = "balances", .sql = "SELECT 1"}, After(before)).ok());
}

TEST_F(QueryEngineTest, StoppedProjectionAnswersWhatItHasAndRefusesToWait) {
  const ConsistencyToken reached = ledger_.Credit("a", 5);
  Follow();
  const FileSizeLimit full(std::filesystem::file_size(ledger_.projection().path() + "-wal"));
  const ConsistencyToken beyond = ledger_.Credit("a", 1);
  const auto waiting = Ask("a", After(beyond));
  ledger_.executor().RunUntilIdle();
  ASSERT_FALSE(ledger_.projection().status().ok());

  ASSERT_TRUE(waiting->has_value());
  ExpectError((*waiting)->status(), absl::StatusCode::kUnavailable, reason::kReadModelStopped,
              "projection balances has stopped");
  const absl::Status refused = Get("a", After(beyond)).status();
  EXPECT_EQ(ReasonOf(refused), reason::kReadModelStopped);
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(FindDetail(refused, info));
  EXPECT_EQ(info.metadata().at("lag_events"), "1");
  google::rpc::RetryInfo retry;
  EXPECT_TRUE(FindDetail(refused, retry));
  EXPECT_EQ(Get("a", After(reached)).value_or(Balance{}).minor, 5);
  EXPECT_EQ(Get("a").value_or(Balance{}).minor, 5);
}

TEST_F(QueryEngineTest, PausedProjectionRefusesToWaitAndSaysHowFarItIsBehind) {
  Follow();
  ledger_.projection().Pause([](const absl::Status& status) { EXPECT_TRUE(status.ok()) << status; });
  ledger_.executor().RunUntilIdle();
  ledger_.Credit("b", 1);
  const absl::Status refused = Get("a", After(ledger_.Credit("a", 5))).status();
  ExpectError(refused, absl::StatusCode::kUnavailable, reason::kReadModelPaused, "projection balances is paused");
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(FindDetail(refused, info));
  EXPECT_EQ(info.metadata().at("projection"), "balances");
  EXPECT_EQ(info.metadata().at("lag_events"), "2");
  google::rpc::RetryInfo retry;
  EXPECT_TRUE(FindDetail(refused, retry));
}

TEST_F(QueryEngineTest, ClosingProjectionAnswersTheWaits) {
  const auto get = Ask("a", After(ledger_.Credit("a", 5)));
  ledger_.CloseProjection();
  ASSERT_TRUE(get->has_value());
  EXPECT_EQ((*get)->status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf((*get)->status()), reason::kShuttingDown);
}

TEST_F(QueryEngineTest, FileThatCannotBeReadIsSaid) {
  std::filesystem::remove(ledger_.projection().path());
  ExpectError(Get("a").status(), absl::StatusCode::kInternal, reason::kReadModelFailed,
              "SQLite: unable to open database file");
}

TEST_F(QueryEngineTest, MoreQueriesThanConnectionsAreAllAnswered) {
  ledger_.Credit("a", 5);
  Follow();
  std::vector<Pending<Balance>> gets;
  for (int i = 0; i < 10 * 4; ++i) gets.push_back(Ask("a"));
  ledger_.executor().RunUntilIdle();
  for (const auto& get : gets) EXPECT_EQ((**get)->minor, 5);
}

TEST_F(QueryEngineTest, TooManyQueriesAreRefusedAndTheirPlacesComeBack) {
  const QueryOptions options = After(ledger_.Credit("a", 5));
  std::vector<Pending<Balance>> waiting;
  for (std::size_t i = 0; i < QueryEngineOptions().max_queries; ++i) waiting.push_back(Ask("a", options));
  const absl::Status status = Get("a").status();
  ExpectError(status, absl::StatusCode::kResourceExhausted, reason::kOverloaded,
              "10,000 queries are under way, the limit");
  google::rpc::RetryInfo retry;
  EXPECT_TRUE(FindDetail(status, retry));
  Follow();
  for (const auto& get : waiting) ASSERT_TRUE(get->has_value() && (*get)->ok());
  EXPECT_TRUE(Get("a").ok());
}

// Descriptors of this process for a file and what SQLite has beside it.
int OpenDescriptors(const std::string& path) {
  int open = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;  // that of the iterator itself
    const std::filesystem::path file = std::filesystem::read_symlink(entry.path(), gone);
    if (!gone && file.string().starts_with(path)) ++open;
  }
  return open;
}

TEST_F(QueryEngineTest, ConnectionToAFileThatIsNotQueriedAnyMoreIsClosedWithItsRead) {
  ledger_.Credit("a", 5);
  Follow();
  const std::string old = ledger_.projection().path();
  int rows = 0;
  bool answered = false;
  engine_->List(
      BalanceTraits::Schema(), {}, {},
      [&](const ColumnReader&, std::size_t) {
        ++rows;
        ledger_.projection().Rebuild([](const absl::Status& status) { EXPECT_TRUE(status.ok()) << status; });
        ledger_.executor().RunUntilIdle();
        EXPECT_NE(ledger_.projection().path(), old);
        EXPECT_GT(OpenDescriptors(old), 0) << "it is being read";
        return std::size_t{1};
      },
      [&answered](const absl::StatusOr<std::string>& next) { answered = next.ok(); });
  ledger_.executor().RunUntilIdle();
  EXPECT_EQ(rows, 1);
  EXPECT_TRUE(answered);
  EXPECT_EQ(OpenDescriptors(old), 0);
}

// A process that is told to stop does not wait for it.
TEST_F(QueryEngineTest, SqlEndsWithTheEngine) {
  Follow();
  int answers = 0;
  const auto ask = [this, &answers] {
    engine_->Sql({.projection = "balances",
                  .sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"},
                 {}, [&answers](const absl::StatusOr<SqlResult>& result) {
                   ExpectError(result.status(), absl::StatusCode::kUnavailable, reason::kShuttingDown,
                               "no new queries are taken");
                   ++answers;
                 });
  };
  ask();  // it would run for ever: the clock stands still
  engine_->EndSql();
  ask();
  ledger_.executor().RunUntilIdle();
  EXPECT_EQ(answers, 2);
}

TEST_F(QueryEngineTest, CloseLetsQueriesEndAndRefusesNewOnes) {
  const auto waiting = Ask("a", After(ledger_.Credit("a", 5)));
  bool closed = false;
  engine_->Close([&] {
    closed = true;
    EXPECT_TRUE(waiting->has_value());
  });
  ledger_.executor().RunUntilIdle();
  EXPECT_FALSE(closed);
  ExpectError(Get("a").status(), absl::StatusCode::kUnavailable, reason::kShuttingDown, "no new queries are taken");
  Follow();
  EXPECT_TRUE(closed);
  EXPECT_TRUE((*waiting)->ok());
}

TEST_F(QueryEngineTest, AnswersWithinTheCallOnlyWhereItMayAndHasAnOpenConnection) {
  const ConsistencyToken token = ledger_.Credit("a", 5);
  const auto answered_at_once = [this](QueryOptions options) {
    auto row = std::make_shared<Balance>();
    auto answer = std::make_shared<std::optional<absl::Status>>();
    engine_->Get(
        BalanceTraits::Schema(), std::move(options), [](ColumnWriter& out) { out.Text(0, "a"); },
        [row](const ColumnReader& in) { BalanceTraits::Read(in, *row); },
        [answer](absl::Status status) { *answer = std::move(status); });
    const bool at_once = answer->has_value();
    ledger_.executor().RunUntilIdle();
    EXPECT_TRUE(answer->has_value() && (*answer)->ok());
    EXPECT_EQ(row->minor, 5);
    return at_once;
  };
  QueryOptions waits = After(token);
  waits.within_call = true;
  ledger_.projection().Start();
  EXPECT_FALSE(answered_at_once(waits));  // the token is not reached yet
  EXPECT_TRUE(answered_at_once({.within_call = true}));
  EXPECT_FALSE(answered_at_once({.within_call = false}));

  engine_ = *QueryEngine::Create({&ledger_.projection()}, ledger_.executor(), ledger_.executor().clock());
  EXPECT_FALSE(answered_at_once({.within_call = true}));  // no connection is open yet
  EXPECT_TRUE(answered_at_once({.within_call = true}));
  std::optional<absl::Status> late;
  engine_->Get(
      BalanceTraits::Schema(), {.deadline = ledger_.executor().clock().Now(), .within_call = true},
      [](ColumnWriter&) {}, [](const ColumnReader&) { ADD_FAILURE(); },
      [&late](absl::Status status) { late = std::move(status); });
  ledger_.executor().RunUntilIdle();
  EXPECT_EQ(ReasonOf(*late), reason::kDeadlineExceeded);
}

TEST_F(QueryEngineTest, SqlReadsTheTablesOfAProjection) {
  const ConsistencyToken token = ledger_.Credit("a", 5);
  const auto ask = [this](SqlQuery query, QueryOptions options) {
    auto answer = std::make_shared<std::optional<absl::StatusOr<SqlResult>>>();
    engine_->Sql(std::move(query), std::move(options),
                 [answer](absl::StatusOr<SqlResult> result) { *answer = std::move(result); });
    EXPECT_FALSE(answer->has_value()) << "answered within the call";
    return answer;
  };
  const SqlQuery sum{.projection = "balances", .sql = "SELECT sum(minor) FROM balance"};
  const auto waits = ask(sum, After(token));
  ledger_.executor().RunUntilIdle();
  EXPECT_FALSE(waits->has_value());
  // It does not keep others out while it waits.
  const auto second = ask(sum, {});
  const auto third = ask(sum, {});
  ledger_.executor().RunUntilIdle();
  EXPECT_TRUE((*second)->ok()) << (*second)->status();
  ExpectError((*third)->status(), absl::StatusCode::kResourceExhausted, reason::kOverloaded,
              "1 query of SQL is under way");
  Follow();
  ASSERT_TRUE(waits->has_value());
  ASSERT_TRUE((*waits)->ok()) << (*waits)->status();
  EXPECT_EQ((**waits)->rows.at(0).at(0), (SqlCell{ColumnType::kInteger, std::int64_t{5}}));

  const auto refused = [&](SqlQuery query, QueryOptions options) {
    const auto answer = ask(std::move(query), std::move(options));
    ledger_.executor().RunUntilIdle();
    return (*answer)->status();
  };
  ExpectError(refused({.projection = "saldos", .sql = "SELECT 1"}, {}), absl::StatusCode::kInvalidArgument,
              reason::kRequestInvalid, "there is no projection \"saldos\"; there are: balances");
  ExpectError(refused({.projection = "balances", .sql = "DELETE FROM balance"}, {}), absl::StatusCode::kInvalidArgument,
              reason::kRequestInvalid, "SQL: only SELECT is available here");
  ExpectError(refused(sum, {.deadline = ledger_.executor().clock().Now()}), absl::StatusCode::kDeadlineExceeded,
              reason::kDeadlineExceeded, "the deadline was over before the query began");
  ExpectError(refused(sum, {.consistency_token = "yesterday"}), absl::StatusCode::kInvalidArgument,
              reason::kRequestInvalid, "consistency_token is not one that a receipt carried");
}

// What may take long leaves the executor, which commands wait for, alone.
TEST_F(QueryEngineTest, ListsAndSqlRunOnThreadsOfTheirOwn) {
  ManualExecutor* readers = nullptr;
  const auto make_readers = [&readers](int threads) {
    EXPECT_EQ(threads, 4);
    auto made = std::make_unique<ManualExecutor>();
    readers = made.get();
    return made;
  };
  engine_ = *QueryEngine::Create({&ledger_.projection()}, ledger_.executor(), ledger_.executor().clock(),
                                 {.readers = 4, .make_readers = make_readers});
  ASSERT_NE(readers, nullptr);
  const ConsistencyToken token = ledger_.Credit("a", 5);
  Follow();
  int lists = 0;
  for (int i = 0; i < 5; ++i) {
    engine_->List(
        BalanceTraits::Schema(), i == 0 ? After(token) : QueryOptions(), {},
        [](const ColumnReader&, std::size_t) { return std::size_t{1}; },
        [&lists](const absl::StatusOr<std::string>& next) {
          EXPECT_TRUE(next.ok()) << next.status();
          ++lists;
        });
  }
  bool sql = false;
  engine_->Sql({.projection = "balances", .sql = "SELECT 1"}, {}, [&sql](const absl::StatusOr<SqlResult>& result) {
    EXPECT_TRUE(result.ok()) << result.status();
    sql = true;
  });
  EXPECT_EQ(Get("a").value_or(Balance{}).minor, 5);
  EXPECT_EQ(Get("a", After(token)).value_or(Balance{}).minor, 5);
  EXPECT_EQ(lists, 0);
  EXPECT_FALSE(sql);
  // Of one projection two run at a time: the others get to be posted only when those have ended.
  EXPECT_EQ(readers->RunUntilIdle(), 6u);
  EXPECT_EQ(lists, 5);
  EXPECT_TRUE(sql);
}

TEST_F(QueryEngineTest, WatchHintsAtEveryCommit) {
  Follow();
  int hints = 0;
  auto watch = engine_->WatchChanges(BalanceTraits::Schema(), [&hints](const absl::Status& status) {
    EXPECT_TRUE(status.ok()) << status;
    ++hints;
  });
  ASSERT_TRUE(watch.ok()) << watch.status();
  ledger_.executor().RunUntilIdle();
  EXPECT_EQ(hints, 0);
  for (int i = 1; i <= 20; ++i) {
    const int before = hints;
    ledger_.Credit(absl::StrFormat("a%d", i), 1);  // over all partitions
    ledger_.executor().RunUntilIdle();
    EXPECT_GT(hints, before) << i;
  }
  watch->reset();
  const int before = hints;
  ledger_.Credit("a", 1);
  ledger_.executor().RunUntilIdle();
  EXPECT_EQ(hints, before);
}

TEST_F(QueryEngineTest, WatchHintsAtWhatIsCommittedWhileItBegins) {
  ledger_.projection().Start();
  ledger_.Credit("a", 1);
  int hints = 0;
  const auto watch = engine_->WatchChanges(BalanceTraits::Schema(), [&hints](const absl::Status&) { ++hints; });
  ASSERT_TRUE(watch.ok());
  const std::int64_t seen = Get("a").value_or(Balance{}).minor;  // runs all steps
  EXPECT_TRUE(seen == 1 || hints > 0);
}

// Rows change then, and the checkpoint does not.
TEST_F(QueryEngineTest, WatchHintsAtARetryADropAndASwap) {
  static bool fails;
  fails = true;
  ledger_.CloseProjection();
  ProjectionType type = MakeProjectionType<Balances>();
  type.handlers[EventTraits<Debited>::kName] = {[](std::string_view, const EventContext& c, RowStore& rows) {
    if (fails) throw std::runtime_error("not yet");
    Tables<Balance>(rows).Of<Balance>().Remove(c.id);
    return true;
  }};
  ASSERT_TRUE(ledger_.OpenProjection(type).ok());
  engine_ = *QueryEngine::Create({&ledger_.projection()}, ledger_.executor(), ledger_.executor().clock());
  ledger_.Credit("a", 5);
  ledger_.Debit("a", 5);
  ledger_.Debit("b", 5);
  ledger_.Credit("b", 6);
  Follow();
  int hints = 0;
  const auto watch = engine_->WatchChanges(BalanceTraits::Schema(), [&hints](const absl::Status& status) {
    EXPECT_TRUE(status.ok()) << status;
    ++hints;
  });
  ASSERT_TRUE(watch.ok());
  ledger_.executor().RunUntilIdle();
  ASSERT_EQ(hints, 0);

  fails = false;
  const auto retried = std::make_shared<absl::StatusOr<std::uint64_t>>(absl::InternalError("not answered"));
  ledger_.projection().RetryParked("account/a", [retried](absl::StatusOr<std::uint64_t> left) { *retried = left; });
  ledger_.executor().RunUntilIdle();
  ASSERT_EQ(retried->value_or(9), 0u) << retried->status();
  EXPECT_EQ(hints, 1);
  EXPECT_TRUE(absl::IsNotFound(Get("a").status()));

  const auto built = std::make_shared<absl::Status>(absl::InternalError("not answered"));
  hints = 0;
  ledger_.projection().Rebuild([built](absl::Status status) { *built = std::move(status); });
  ledger_.executor().RunUntilIdle();
  ASSERT_TRUE(built->ok()) << *built;
  EXPECT_GT(hints, 0);
}

TEST_F(QueryEngineTest, LastHintSaysThatTheProjectionHasStopped) {
  Follow();
  std::vector<absl::Status> hints;
  const auto watch =
      engine_->WatchChanges(BalanceTraits::Schema(), [&hints](const absl::Status& status) { hints.push_back(status); });
  ASSERT_TRUE(watch.ok());
  const FileSizeLimit full(std::filesystem::file_size(ledger_.projection().path() + "-wal"));
  ledger_.Credit("a", 1);
  ledger_.executor().RunUntilIdle();
  ASSERT_EQ(hints.size(), 1u);
  EXPECT_EQ(ReasonOf(hints[0]), reason::kReadModelStopped);
}

TEST_F(QueryEngineTest, WatchesHaveABoundAndEndWithTheEngine) {
  std::vector<std::unique_ptr<QueryEngine::ChangeWatch>> watches;
  for (std::size_t i = 0; i < QueryEngine::kMaxWatches; ++i) {
    watches.push_back(*engine_->WatchChanges(BalanceTraits::Schema(), [](const absl::Status&) { FAIL(); }));
  }
  const auto hint = [](const absl::Status&) {};
  ExpectError(engine_->WatchChanges(BalanceTraits::Schema(), hint).status(), absl::StatusCode::kResourceExhausted,
              reason::kOverloaded, "1,000 watches are under way");
  watches.pop_back();
  EXPECT_TRUE(engine_->WatchChanges(BalanceTraits::Schema(), hint).ok());

  ReadModelSchema other = BalanceTraits::Schema();
  other.message = "ledger.v1.Turnover";
  watches.clear();
  ExpectError(engine_->WatchChanges(other, hint).status(), absl::StatusCode::kUnimplemented, reason::kUnknownType,
              "no projection of this application has the read model");

  const auto last = engine_->WatchChanges(BalanceTraits::Schema(), [](const absl::Status&) { FAIL(); });
  bool closed = false;
  engine_->Close([&closed] { closed = true; });
  Follow();
  ledger_.Credit("a", 1);
  ledger_.CloseProjection();
  EXPECT_TRUE(closed);
  ExpectError(engine_->WatchChanges(BalanceTraits::Schema(), hint).status(), absl::StatusCode::kUnavailable,
              reason::kShuttingDown, "no new queries are taken");
}

TEST_F(QueryEngineTest, AnswersTheSameWhateverTheOrderOfSteps) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Ledger ledger(seed);
    ASSERT_TRUE(ledger.OpenProjection(MakeProjectionType<Balances>(), 1).ok());
    const auto engine = *QueryEngine::Create({&ledger.projection()}, ledger.executor(), ledger.executor().clock());
    ledger.projection().Start();
    int answers = 0;
    for (int i = 1; i <= 10; ++i) {
      auto row = std::make_shared<Balance>();
      engine->Get(
          BalanceTraits::Schema(), After(ledger.Credit("a", 1)), [](ColumnWriter& out) { out.Text(0, "a"); },
          [row](const ColumnReader& in) { BalanceTraits::Read(in, *row); },
          [&answers, row, i, seed](absl::Status status) {
            EXPECT_TRUE(status.ok()) << status;
            EXPECT_GE(row->minor, i) << "did not read its own write; seed " << seed;
            ++answers;
          });
    }
    ledger.executor().RunUntilIdle();
    EXPECT_EQ(answers, 10) << "seed " << seed;
    ledger.Crash();
  }
}

}  // namespace
}  // namespace everfold
